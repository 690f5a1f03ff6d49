"""The files of single generators: the bundled ones, which draw digits, and those that are exported.

A file holds the generator's weights as float16. This halves its size and changes no pixel by more
than one of its 256 levels. That of a system with an encoder also holds the determinator. An
exported one says in `about` what it is: the config and the names of the classes, as JSON.
"""

import json
from pathlib import Path

from gan3.core.classes import DIGITS, are_class_names
from gan3.core.errors import UserError, shown
from gan3.core.files import digest_of, names_in, read_arrays
from gan3.runs.registry import bundled_config_of, config_from_dict
from gan3.runs.trained import Trained

FOLDER = Path(__file__).parent.parent / "pretrained"


DIGESTS = {
    "best": "cc82a6df61fa614f16c8d6f30ad7d3c975c959da985e5efb273fb3abaa1c3d72",
    "three_network": "834adf649532deee28768106e79980f2d116c6aab800146deb7dea2418dc20b0",
    "published_code": "6b6d9375e3f7ef7f2489014213a907ac5a4599e41d2d225665757151036a5d53",
    "conditional_dcgan": "0d2c352d55e279a15ef47b4491aa305727031b214fc70f50aae1624087d0ce3d",
    "gan_auto_write": "f49b3680ecf3825a9c521944fcd09a47b81aff42d95fe4e9b0cec039243212da",
    "mlp_gan": "c7d53714e3e1ef3f9357eb6b41b04121a08b46b89be39199a81e8ad3481e6484",
    "layernorm_gan": "81aeb20fe1640b89e0d4b122e8eb59a4e5147beb3db611e24c2b1db00337c14e",
}
"""SHA-256 of the bundled files, by experiment. `mlp_gan` has seed 1, the others 0."""


def open_pretrained(name: str) -> Trained:
    """A bundled generator, or that of an exported file, and its determinator if it encodes.

    name: of a bundled one, or a path that ends in .npz. Raises UserError for an unknown name, and
    for a file that is not the one bundled with gan3, or was not exported.
    """
    if name.lower().endswith(".npz"):
        return _open_exported(Path(name))
    if name not in DIGESTS:
        raise UserError(
            f"pretrained generator {shown(name)}: unknown; available: {', '.join(DIGESTS)}, or"
            " an exported file.npz"
        )
    path = FOLDER / f"{name}.npz"
    digest = digest_of(path)
    if digest != DIGESTS[name]:
        raise UserError(
            f"{path}: not the file bundled with gan3 (its SHA-256 is {digest[:12]}…);"
            " reinstall gan3"
        )
    config = bundled_config_of(name)
    return Trained(name, name, path, config, DIGITS, "float16", is_bundled=True)


def _open_exported(path: Path) -> Trained:
    if "about" not in names_in(path):
        raise UserError(f"{path}: was not written by gan3 export; export a generator as npz")
    about = read_arrays(path, ["about"], most_bytes=2**20)["about"]
    try:
        values = json.loads(str(about))
        names, config = values["class_names"], values["config"]
    except (ValueError, TypeError, KeyError, RecursionError):
        names, config = None, None
    if not are_class_names(names):
        raise UserError(f"{path}: does not say what it draws; export the generator again")
    config = config_from_dict(config)
    return Trained(path.stem, path.stem, path, config, tuple(names), "float16")
