"""The plan of the house: imports go to lower layers only, and only some read the config."""

import ast
import unittest

from tests.mutations import MUTATIONS
from tests.support import ROOT

LAYERS = (
    ("errors", "triple", "files", "config"),
    ("data", "strokes", "layers", "losses", "metrics", "catalogue", "machine"),
    ("networks", "open_networks", "field_networks", "judge"),
    ("train_step", "open_step", "field_step"),
    ("checkpoints", "summaries", "figures", "sampling", "records", "replicas"),
    ("progress", "gallery", "shipped", "latent"),
    ("report", "page", "explore"),
    ("run", "specification", "engines"),
    ("sweep",),
    ("__main__",),
)
# Within a layer: `config` and `files` know the errors and the triple, `data` draws the strokes; the
# open networks and their step are the description's with more choices; all networks have one base.
BESIDE = {("config", "errors"), ("config", "triple"), ("files", "errors"), ("data", "strokes")} | {
    ("open_networks", "networks"),
    ("field_networks", "networks"),
    ("open_step", "train_step"),
    ("field_step", "train_step"),
}
READ_CONFIG = {"config", "catalogue", "gallery", "report", "run"} | {
    *("specification", "sweep", "__main__"),
}


def imports_of(path):
    """The modules of gan3 that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "gan3":
            found |= {alias.name for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gan3."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("gan3.")}
    return found


class House(unittest.TestCase):
    def setUp(self):
        self.layer = {name: i for i, names in enumerate(LAYERS) for name in names}
        self.modules = {
            path.stem: path for path in (ROOT / "gan3").glob("*.py") if path.stem != "__init__"
        }

    def test_every_module_has_a_layer(self):
        self.assertEqual(set(self.modules), set(self.layer))

    def test_imports_go_down_only(self):
        for name, path in self.modules.items():
            for imported in imports_of(path):
                with self.subTest(module=name, imports=imported):
                    if (name, imported) not in BESIDE:
                        self.assertLess(self.layer[imported], self.layer[name])

    def test_config_is_read_only_where_it_may_be(self):
        readers = {name for name, path in self.modules.items() if "config" in imports_of(path)}
        self.assertLessEqual(readers | {"config"}, READ_CONFIG)

    def test_no_generator_trains_against_the_judge(self):
        importers = {name for name, path in self.modules.items() if "judge" in imports_of(path)}
        self.assertLessEqual(importers, {"report", "__main__"})
        for path in (ROOT / "experiments").glob("*.py"):
            self.assertNotIn("judge", imports_of(path), path.name)

    def test_no_session_and_no_compat(self):
        for path in [*self.modules.values(), *(ROOT / "experiments").glob("*.py")]:
            tree = ast.parse(path.read_text())
            attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            self.assertFalse(attributes & {"Session", "compat", "placeholder"}, path.name)

    def test_nothing_is_unpickled_or_extracted(self):
        for path in self.modules.values():
            tree = ast.parse(path.read_text())
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute):
                    self.assertNotIn(node.attr, {"extractall", "load_model"}, path.name)
                if isinstance(node, ast.keyword):
                    self.assertNotEqual(node.arg, "allow_pickle", path.name)

    def test_an_experiment_is_a_declaration(self):
        for path in (ROOT / "experiments").glob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text()))
            loops = [node.lineno for node in nodes if isinstance(node, ast.While | ast.For)]
            self.assertEqual(loops, [], path.name)
            self.assertLess(len(path.read_text().splitlines()), 120, path.name)

    def test_every_mutation_still_finds_its_line(self):
        for mutation in MUTATIONS:
            with self.subTest(mutation.what):
                self.assertEqual((ROOT / mutation.file).read_text().count(mutation.good), 1)


if __name__ == "__main__":
    unittest.main()
