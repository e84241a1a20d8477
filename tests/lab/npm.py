"""Packages of the npm registry, fetched for one run: nothing of them is kept in the tree."""

import os
import shutil
import subprocess

import pytest

# Versions are named so that a new one does not change what a test tries.
PACKAGES = ("node-routeros@1.6.9", "routeros-client@1.1.2", "mikronode@2.3.11")


def fetch(directory):
    """node_modules with PACKAGES; skips, and says why, where there is no Node.js or no registry."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    (directory / "package.json").write_text('{"private": true}\n')
    try:
        done = subprocess.run(
            ("npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund",
             "--fetch-retries=1", "--fetch-timeout=20000", *PACKAGES),
            cwd=directory, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "npm_config_cache": str(directory / "cache")},
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry did not answer within two minutes")
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        if any(sign in done.stderr for sign in ("ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONN",
                                                "ENETUNREACH", "network", "E403", "E50")):
            pytest.skip(f"the npm registry cannot be reached: {said[-1] if said else 'no word'}")
        raise AssertionError(f"npm install ended with {done.returncode}:\n{done.stderr}")
    return directory / "node_modules"
