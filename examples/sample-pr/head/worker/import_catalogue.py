"""Imports a supplier's catalogue: an archive with a catalogue.yaml and the pictures."""

import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

log = logging.getLogger("import")


def unpack(archive, directory):
    subprocess.run(f"tar -xzf {archive} -C {directory}", shell=True, check=True)


def load(directory):
    with open(Path(directory) / "catalogue.yaml", encoding="utf-8") as document:
        return yaml.load(document, Loader=yaml.Loader)


def main(archive):
    with tempfile.TemporaryDirectory() as directory:
        unpack(archive, directory)
        for product in load(directory)["products"]:
            log.info("importing %s", product["sku"])


if __name__ == "__main__":
    main(sys.argv[1])
