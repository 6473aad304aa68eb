import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_import_contracts_name_every_function():
    handlers = {path.parent.name for path in ROOT.glob("functions/*/app.py")}
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [contract["layers"] for contract in linter["contracts"] if contract["id"] == "handlers"]

    assert {name.strip() for name in layers[0].split("|")} == handlers
    assert handlers < set(linter["root_packages"])
