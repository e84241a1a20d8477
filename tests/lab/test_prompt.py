"""The console's prompt on a real terminal: completion, help, paging, several lines, safe mode."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios

import pytest

from lab import Lab, build_dir, readable, wait_until
from scenes import local

BASE = {
    "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlone"}]},
    "ip": {"firewall": {"address-list": [{"list": f"list{i}", "address": f"10.0.{i}.0/24"}
                                         for i in range(40)]}},
}


@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        yield lab.router(local(lab, BASE)).start()


class Terminal:
    """maclanectl on a terminal of 20 lines of 100 letters."""

    def __init__(self, router):
        program = build_dir() / "maclanectl"
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", HOME=str(router.state), NO_COLOR="1")
            os.execv(program, [str(program), "--socket", str(router.socket_path)])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 100, 0, 0))
        self.seen = ""
        self.until("> ")

    def until(self, text, timeout=20):
        """What came up to this text, without what moves the cursor; what follows is kept."""
        def read():
            if text in self.seen:
                return True
            if readable(self.fd, 0.05):
                try:
                    got = os.read(self.fd, 65536).decode()
                except OSError:
                    return False
                self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", got)
            return text in self.seen
        wait_until(read, timeout, lambda: f"{text!r}, have {self.seen!r}")
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text):
        os.write(self.fd, text.encode())
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def test_tab_completes_and_a_question_mark_tells(router):
    with Terminal(router) as at:
        at.type("/int\t").until("erface/")
        at.type("macv\t").until("lan/")
        at.type("add interface=e\t").until("ther1")
        at.type("\x15/ip firewall filter add chain=?").until("forward")
        at.type("\x15/ip firewall nat\r").until("/ip/firewall/nat > ")
        at.type("..\r").until("/ip/firewall > ")
        at.type("/\r").until("[admin@Maclane] > ")


def test_an_error_points_at_the_word(router):
    with Terminal(router) as at:
        at.type("/ip address add foo=1\r").until("add has no parameter foo")
        assert at.until("^").splitlines()[-1] == " " * (2 + len("/ip address add "))


def test_long_output_comes_by_pages(router):
    with Terminal(router) as at:
        at.type("/ip firewall address-list print\r")
        first = at.until("-- [Q quit|D dump|space next|down line]")
        assert "10.0.3.0/24" in first and "10.0.39.0/24" not in first
        at.type(" ")
        assert "10.0.3.0/24" not in at.until("-- [Q quit")
        at.type("q").until("[admin@Maclane] > ")
        at.type("/ip firewall address-list print\r").until("-- [Q quit")
        at.type("d").until("list39")
        at.until("[admin@Maclane] > ")


def test_output_without_paging_comes_at_once(router):
    with Terminal(router) as at:
        at.type("/ip firewall address-list print without-paging\r")
        assert "-- [Q quit" not in at.until("list39")
        at.until("[admin@Maclane] > ")


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_what_goes_on_is_ended_by_a_key_and_that_is_no_mistake(router, key):
    for command in ("/interface ethernet print interval=100ms", "/log print follow",
                    "/interface monitor-traffic ether1"):
        with Terminal(router) as at:
            at.type(command + "\r").until("\r\n")
            at.until("\n")
            at.type(key)
            after = at.until("[admin@Maclane] > ")
            assert "interrupted" not in after and "^\r\n" not in after
            at.type(":put typed\r").until("\r\ntyped")


def test_what_a_command_cannot_do_without_is_asked_for(router):
    """As RouterOS does at its prompt; a password is not shown, Control-C leaves it."""
    with Terminal(router) as at:
        at.type("/ip firewall nat add action=accept\r").until("chain: ")
        at.type("srcnat\r").until("[admin@Maclane] > ")
        assert [row["chain"] for row in router.print("/ip/firewall/nat")] == ["srcnat"]
        at.type("/interface vlan add vlan-id=7\r").until("interface: ")  # a name comes by itself
        at.type("\x03").until("[admin@Maclane] > ")
        at.type("/interface vlan add vlan-id=7\r").until("interface: ")
        at.type("an-interface-of-a-name-that-is-not-short-at-all\r").until("no interface named")
        at.until("[admin@Maclane] > ")
        assert router.print("/interface/vlan") == []
        at.type("/ip firewall nat remove 0\r").until("[admin@Maclane] > ")
    refused = router.ctl("/ip firewall nat add action=accept", check=False)
    assert refused.returncode != 0 and "chain" in refused.stderr


def test_a_password_is_changed_without_being_seen(router):
    router.ctl("/user set admin password=first-Secret1")
    with Terminal(router) as at:
        shown = ""
        for answer, question in (("/password", "old-password: "), ("first-Secret1", "new-password: "),
                                 ("second-Secret2", "confirm-new-password: "),
                                 ("second-Secret2", "[admin@Maclane] > ")):
            shown += at.type(answer + "\r").until(question)
        assert "Secret" not in shown and "failure" not in shown
        at.type("/password old-password=first-Secret1 new-password=a confirm-new-password=a\r")
        at.until("the old password is wrong")


def test_safe_mode_ends_with_the_router():
    with Lab() as lab:
        router = lab.router(local(lab, BASE)).start()
        with Terminal(router) as at:
            at.type("\x18").until("<SAFE> ")
            at.type("/interface ethernet set ether1 comment=gone\r").until("<SAFE> ")
            router.process.popen.kill()
            router.process.popen.wait()
            at.type("/interface ethernet print\r").until("Safe mode ended with the router")
            assert "SAFE" not in at.until("[admin@Maclane] > ")
            router.process = None
            router.start()
            at.type(":put [/interface ethernet get ether1 comment]\r")
            assert "gone" not in at.until("[admin@Maclane] > ")


def test_safe_mode_that_ended_by_itself_is_told(router):
    """C-50: more than a hundred changes are too many to take back."""
    with Terminal(router) as at:
        at.type("\x18").until("<SAFE> ")
        at.type(":for i from=1 to=120 do={ /interface ethernet set ether1 comment=$i; "
                ":delay 1ms }\r").until("[Safe Mode has ended: more than 100 changes")
        at.until("[admin@Maclane] > ")


def test_an_open_brace_goes_on_and_the_history_gives_it_again(router):
    with Terminal(router) as at:
        at.type("{ :put (1 +\r").until("... ")
        at.type("41) }\r").until("42")
        at.until("[admin@Maclane] > ")
        at.type(":put again\r").until("\r\nagain")
        at.until("[admin@Maclane] > ")
        at.type("\x1b[A").until(":put again")
        at.type("\r").until("\r\nagain")


def test_control_c_ends_what_runs_and_leaves_what_is_typed(router):
    with Terminal(router) as at:
        at.type(":put begun; :delay 1h\r").until("\r\nbegun")
        at.type("\x03").until("interrupted")
        at.until("[admin@Maclane] > ")
        at.type(":put one\x03").until("[admin@Maclane] > ")
        at.type("{ :put two\r").until("... ")
        at.type("\x03").until("[admin@Maclane] > ")
        at.type(":put there\r")
        assert "one" not in at.until("\r\nthere")


def lists(router):
    return [row["name"] for row in router.print("/interface/list")]


def test_what_does_harm_is_asked_about(router):
    router.ctl("/interface/list/add", "name=kept")
    with Terminal(router) as at:
        for line, question in (("/system reset-configuration", "Dangerous! Reset anyway?"),
                               ("/system/reboot", "Reboot, yes?"),
                               ("/system shutdown", "Shutdown, yes?"),
                               ("/system/backup load name=none", "Restore and reboot?")):
            for no in ("n", "\r", "\x03"):
                at.type(line + "\r").until(f"{question} [y/N]: ")
                at.type(no).until("action cancelled")
                at.until("[admin@Maclane] > ")
        assert lists(router) == ["kept"]
        at.type("/system reset-configuration\r").until("[y/N]: ")
        at.type("y").until("[admin@Maclane] > ")
        assert lists(router) == []
    router.ctl("/interface/list/add", "name=again")
    router.ctl("/system/reset-configuration")  # nobody to ask
    assert lists(router) == []


def test_letters_beyond_ascii_stay(router):
    with Terminal(router) as at:
        at.type(':put "żółć"\r').until("\r\nżółć")


def comments(router):
    return [row.get("comment") for row in router.print("/interface/ethernet")]


def test_safe_mode_is_undone_with_the_session_and_kept_by_quit(router):
    """C-50."""
    with Terminal(router) as at:
        at.type("\x18").until("<SAFE> ")
        at.type("/interface ethernet set ether1 comment=gone\r").until("<SAFE> ")
        assert comments(router) == ["gone"]
    wait_until(lambda: comments(router) != ["gone"], what="the change undone")
    with Terminal(router) as at:
        at.type("\x18").until("<SAFE> ")
        at.type("/interface ethernet set ether1 comment=kept\r").until("<SAFE> ")
        at.type("\x18").until("[admin@Maclane] > ")
        at.type("\x18").until("<SAFE> ")
        at.type("/interface ethernet set ether1 comment=both\r").until("<SAFE> ")
        at.type("quit\r")
        wait_until(lambda: not router.print("/safe-mode"), what="safe mode released")
    assert comments(router) == ["both"]


def test_safe_mode_of_another_session_is_hijacked_in_the_way_that_is_chosen(router):
    """C-50: as RouterOS asks it; who lost it is told while nothing is typed."""
    question = "Hijacking Safe Mode from console:admin - unroll/release/don't take it [u/r/d]: "
    with Terminal(router) as first, Terminal(router) as other:
        first.type("\x18").until("<SAFE> ")
        first.type("/interface ethernet set ether1 comment=first\r").until("<SAFE> ")
        flags = router.print("/system/history")[0]
        assert flags["floating-undo"] == "true"
        for no in ("xd", "\x03"):
            other.type("\x18").until(question)
            other.type(no).until("action cancelled")
            other.until("[admin@Maclane] > ")
        other.type("\x18").until(question)
        other.type("r").until("<SAFE> ")
        first.until("[Safe Mode released by another user, console:admin: what was changed in it "
                    "stays]")
        first.until("[admin@Maclane] > ")
        other.type("/interface ethernet set ether1 comment=other\r").until("<SAFE> ")
        other.type(":put half").until(":put half")
        first.type("/interface\r").until("/interface > ")
        first.type("\x18").until(question)
        first.type("u").until("<SAFE> /interface > ")
        assert comments(router) == ["first"]
        first.type("/interface ethernet set ether1 comment=gone\r").until("<SAFE> ")
        other.until("[Safe Mode unrolled by another user, console:admin: what was changed in it is "
                    "undone]")
        assert "<SAFE>" not in other.until("[admin@Maclane] > :put half")
        other.type("\r").until("\r\nhalf")
        first.type("\x04")
        wait_until(lambda: comments(router) == ["first"], what="the change undone")
    refused = router.ctl("/safe-mode/take hijack=perhaps", check=False)
    assert refused.returncode != 0 and "hijack" in refused.stderr


def test_quit_keeps_what_was_changed_wherever_it_stands(router):
    """C-50: in a line with others, too."""
    with Terminal(router) as at:
        at.type("\x18").until("<SAFE> ")
        at.type("/interface ethernet set ether1 comment=in-line; /quit\r")
        wait_until(lambda: not router.print("/safe-mode"), what="safe mode released")
    assert comments(router) == ["in-line"]


def test_safe_mode_does_not_outlive_the_router(router):
    """C-50: who is shut out and pulls the plug has the router of before; what was released stays."""
    with Terminal(router) as at:
        at.type("\x18").until("<SAFE> ")
        at.type("/interface ethernet set ether1 comment=released\r").until("<SAFE> ")
        at.type("\x18").until("[admin@Maclane] > ")
        at.type("\x18").until("<SAFE> ")
        at.type("/interface ethernet set ether1 comment=shut-out\r").until("<SAFE> ")
        assert comments(router) == ["shut-out"]
        os.kill(router.process.pid, signal.SIGKILL)
        router.process.popen.wait()
        router.start()
    assert comments(router) == ["released"]
    assert "what was changed in safe mode" in router.log()
