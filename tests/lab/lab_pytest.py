"""What every folder of labs gives pytest: what it needs, the router's log beside a failure."""

import os
import shutil

import pytest

import lab as labs

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_makereport", "pytest_sessionstart"]

_TOOLS = ("ip", "ping", "ethtool")


def _missing():
    if os.geteuid() != 0:
        return "labs make network namespaces and need root"
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            return f"{tool} is not installed; scripts/setup.sh --test installs it"
    if labs.run("ip", "netns", "list", check=False).returncode != 0:
        return "no network namespaces on this machine"
    return None


def pytest_sessionstart(session):
    if os.geteuid() == 0:
        labs.remove_leftovers()


def pytest_collection_modifyitems(config, items):
    reason = _missing()
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))
        return


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for router in labs.ROUTERS:
            tail = "\n".join(router.log().splitlines()[-60:])
            report.sections.append((f"log of the router {router.name}", tail))
