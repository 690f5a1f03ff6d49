#!/usr/bin/env bash
# Tests the ranges of requirements.txt: installs gan3 with the lowest and with the newest versions
# into environments of their own and runs quick tests with each. `make versions` runs it.
# PYTHON is a Python 3.11, the only one that the lowest versions exist for.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
MODULES=(
  nn.test_layers nn.test_adam method.test_networks method.test_reference vae_gan.test_networks
  baselines.test_networks data.test_datasets runs.test_checkpoints runs.test_tensorboard
  runs.test_pretrained runs.test_registry plots.test_grids evaluation.test_metrics
  evaluation.test_sample_files demo.test_digit_reader export.test_formats
)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A copy, because a build writes into the folder that it builds.
mkdir "$folder/source"
cp -R gan3 experiments pyproject.toml README.md LICENSE requirements*.txt "$folder/source"

# "name>=1.2,<3" becomes "name==1.2": pip then also takes 1.2.0, and no later version.
sed -nE 's/^([a-z]+)>=([0-9.]+),.*/\1==\2/p' requirements.txt > "$folder/lowest.txt"
[ "$(wc -l < "$folder/lowest.txt")" -eq "$(grep -c '^[a-z]' requirements.txt)" ]
# The lowest version of the extra "export", and an onnxruntime of its time to read what it writes.
sed -nE 's/^export = \["(onnx)>=([0-9.]+)"\]/\1==\2/p' pyproject.toml | grep . >> "$folder/lowest.txt"
echo "onnxruntime==1.20.1" >> "$folder/lowest.txt"
: > "$folder/newest.txt"

for end in lowest newest; do
  echo "== $end versions"
  "$PYTHON" -m venv "$folder/$end"
  python="$folder/$end/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check --upgrade pip
  "$python" -m pip install --quiet --disable-pip-version-check \
    --constraint "$folder/$end.txt" "$folder/source" onnx onnxruntime
  "$python" -m pip list --disable-pip-version-check |
    grep -iE "^(python|tensorflow|keras|tensorboard|numpy|matplotlib|rich|pillow|onnx|onnxruntime) "
  "$folder/$end/bin/gan3" experiments > "$folder/experiments.txt" # the installed command
  grep -q three_network "$folder/experiments.txt"
  "$python" -m unittest "${MODULES[@]/#/tests.}"
done
