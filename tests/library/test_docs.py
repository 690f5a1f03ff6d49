"""The examples of docs/api.md, run from top to bottom."""

import re
import sys
import types
import warnings
from contextlib import nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np

from tests.support import MNIST, ROOT, FolderTest, needs_mnist, slow

PAGE = (ROOT / "docs" / "api.md").read_text()
TRAINING = PAGE.index("\n## Training\n")


def examples(text):
    """The Python blocks of a page, each with as many empty lines before it as the page has."""
    return [
        "\n" * text[: match.start(1)].count("\n") + match[1]
        for match in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def run(text):
    """Run the examples of a page in one namespace, and return it and what they printed."""
    names, out = {}, StringIO()
    with redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for example in examples(text):
            exec(compile(example, "docs/api.md", "exec"), names)
    return names, out.getvalue()


class Examples(FolderTest):
    def test_drawing_and_recognising(self):
        names, out = run(PAGE[:TRAINING])
        self.assertEqual(out, "")
        self.assertEqual(names["images"].shape, (30, 28, 28))
        self.assertEqual(names["threes"].shape, (5, 28, 28))
        self.assertEqual(names["bolder"].shape, (2, 28, 28))
        self.assertEqual(names["recognised"].labels[:10].tolist(), list(range(10)))
        self.assertEqual(sorted(Path().iterdir()), [])

    @slow("scores against 10,000 real digits")
    @needs_mnist
    def test_all_of_them(self):
        logged = []
        mlflow = types.SimpleNamespace(  # not installed; what the example uses of it
            start_run=nullcontext, log_metrics=lambda line, step: logged.append((line, step))
        )
        sys.modules["mlflow"] = mlflow
        self.addCleanup(sys.modules.pop, "mlflow")
        names, out = run(PAGE)
        self.assertEqual(out, f"{names['card']}\n")
        self.assertEqual(names["run"].record["data_source"], MNIST)
        self.assertEqual(names["ablation"].config.noise_draw, "once")
        self.assertEqual([step for _, step in logged], [0, 10, 20])
        self.assertIn("loss/generator_real", logged[0][0])
        self.assertLess(names["card"].real["frechet_distance"], names["card"]["frechet_distance"])
        self.assertTrue(np.isfinite(list(names["card"].scores.values())).all())
        self.assertTrue(Path("my-card/report.png").is_file())

    def test_every_public_name_is_on_the_page(self):
        import gan3

        for name in set(gan3.__all__) - {"Card", "Recognised", "Samples"}:  # what functions return
            self.assertRegex(PAGE, rf"(`|gan3\.){name}\b", name)  # not as a word of the prose

    def test_every_name_in_the_tables_exists(self):
        import gan3

        rows = re.findall(r"(?m)^\| (`[^|]+) \|", PAGE)
        names = {name for row in rows for name in re.findall(r"`(\w+)", row)}
        self.assertLess({"generate", "sample", "encode", "metrics", "resume", "name"}, names)
        known = set(dir(gan3.load("best"))) | set(dir(gan3.Run("a")))
        self.assertLessEqual(names, known)
