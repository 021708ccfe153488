"""The demonstration of ./run: a mail in, its reply out to the second server.

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def test_mail_out_and_reply_back():
    done = subprocess.run([SOURCE / "tools/demo.sh", "--self-test"], capture_output=True,
                          text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok  ") == 4, done.stdout
