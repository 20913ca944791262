"""The verifier finds what was altered, says it in a sentence, and takes bytes that others made as they meant them."""

import ast
import base64
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from governance.audit import verifier
from governance.audit.merkle import WIDTH, Tree, complete_root
from governance.audit.verbs import Verb
from governance.audit.verifier import (
    EMPTY_ROOT,
    FAILS,
    HOLDS,
    UNREADABLE,
    UNTIED,
    Broken,
    Checkpoint,
    Frontier,
    InclusionProof,
    Note,
    VerifierKey,
    WitnessPolicy,
    find_checkpoint,
    leaf_hash,
    node_hash,
    read_event,
    signatures_that_hold,
    to_base64,
    verify_consistency,
    verify_ed25519,
    verify_inclusion,
)
from tests.governance.audit.packages import BEGUN, Log, Signer, lined, manifest, witness

pytestmark = pytest.mark.once

FILE = Path(verifier.__file__)

# ---- the tree

# The leaves that Certificate Transparency's own tests use, and the roots over the first one, two, ... of them.
LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """The root as RFC 9162 defines it, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(naive_root(leaves[:half]), naive_root(leaves[half:]))


def tree_over(leaves: list[bytes]) -> Tree:
    """Our tree, from tiles made in memory."""

    hashes = list(map(leaf_hash, leaves))

    def read(level: int, index: int) -> list[bytes]:
        row = hashes
        for _ in range(level):
            row = [complete_root(row[at : at + WIDTH]) for at in range(0, len(row) - WIDTH + 1, WIDTH)]
        return row[index * WIDTH : (index + 1) * WIDTH]

    return Tree(len(leaves), read)


def frontier_over(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf_hash(leaf))
    return frontier


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_that_were_published(size: int) -> None:
    assert frontier_over(LEAVES[:size]).root().hex() == ROOTS[size - 1]
    assert tree_over(LEAVES[:size]).root().hex() == ROOTS[size - 1]


def test_a_published_path_leads_to_the_root() -> None:
    path = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    root = bytes.fromhex(ROOTS[7])
    proof = list(map(bytes.fromhex, path))
    assert verify_inclusion(leaf=leaf_hash(LEAVES[5]), index=5, size=8, proof=proof, root=root)
    assert tree_over(LEAVES).inclusion(5) == tuple(proof)


@given(st.integers(1, 700), st.data())
@settings(max_examples=40, deadline=None)
def test_trees_and_proofs_agree_with_another_hands(size: int, data: st.DataObject) -> None:
    leaves = [bytes([at % 251, at // 251]) for at in range(size)]
    theirs = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        theirs.append_entry(leaf)
    ours, root = tree_over(leaves), naive_root(leaves)
    assert frontier_over(leaves).root() == ours.root() == root == theirs.get_root()

    index = data.draw(st.integers(0, size - 1))
    proof = ours.inclusion(index)
    assert [each.hex() for each in proof] == theirs.prove_inclusion(index + 1).serialize()["path"][1:]
    assert verify_inclusion(leaf=leaf_hash(leaves[index]), index=index, size=size, proof=proof, root=root)

    earlier = data.draw(st.integers(0, size))
    old = naive_root(leaves[:earlier])
    assert verify_consistency(size=earlier, root=old, later_size=size, later_root=root, proof=ours.consistency(earlier))


@given(st.integers(2, 200), st.data())
@settings(max_examples=60, deadline=None)
def test_an_altered_proof_is_refused(size: int, data: st.DataObject) -> None:
    leaves = [bytes([at]) for at in range(size)]
    tree, root = tree_over(leaves), naive_root(leaves)
    index, earlier = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    inclusion, consistency = list(tree.inclusion(index)), list(tree.consistency(earlier))
    old, leaf = naive_root(leaves[:earlier]), leaf_hash(leaves[index])
    for spoiled in spoilt(inclusion, data):
        assert not verify_inclusion(leaf=leaf, index=index, size=size, proof=spoiled, root=root)
    for spoiled in spoilt(consistency, data):
        assert not verify_consistency(size=earlier, root=old, later_size=size, later_root=root, proof=spoiled)
    assert not verify_inclusion(leaf=leaf_hash(b"other"), index=index, size=size, proof=inclusion, root=root)
    other = (index + data.draw(st.integers(1, size - 1))) % size
    assert not verify_inclusion(leaf=leaf, index=other, size=size, proof=inclusion, root=root)
    assert not verify_consistency(size=earlier, root=root, later_size=size, later_root=root, proof=consistency)


def spoilt(proof: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    """The proof with one bit turned, without one of its hashes, and with one too many."""
    at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    turned = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
    return [[*proof[:at], turned, *proof[at + 1 :]], proof[:at] + proof[at + 1 :], [*proof, bytes(32)]]


def test_a_frontier_goes_on_where_another_stood() -> None:
    begun = frontier_over(LEAVES[:5])
    goes_on = Frontier(begun.size, begun.hashes)
    for leaf in LEAVES[5:]:
        goes_on.add(leaf_hash(leaf))
    assert goes_on.root().hex() == ROOTS[7]
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier(5, begun.hashes[:1])


# ---- signatures

# RFC 8032, section 7.1: secret key, message, signature.
SIGNED = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("secret", "message", "signature"), SIGNED)
def test_the_signatures_of_the_standard_hold(secret: str, message: str, signature: str) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    public = private.public_key().public_bytes_raw()
    signed = bytes.fromhex(signature)
    assert private.sign(bytes.fromhex(message)) == signed
    assert verify_ed25519(public, bytes.fromhex(message), signed)
    assert not verify_ed25519(public, bytes.fromhex(message) + b"x", signed)


def holds_elsewhere(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 511), st.booleans())
@settings(max_examples=60, deadline=None)
def test_signatures_hold_where_they_do_elsewhere(secret: bytes, message: bytes, bit: int, spoil: bool) -> None:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    if spoil:
        signature = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    assert verify_ed25519(public, message, signature) is holds_elsewhere(public, message, signature) is not spoil


def test_a_signature_has_one_form() -> None:
    """Adding the group's order to the scalar gives another signature that only careless verifiers take."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"text")
    scalar = int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    other = signature[:32] + scalar.to_bytes(32, "little")
    assert verify_ed25519(public, b"text", signature)
    assert not verify_ed25519(public, b"text", other)
    assert not verify_ed25519(public, b"text", signature[:63])
    assert not verify_ed25519(b"\xff" * 32, b"text", signature)


# ---- notes, keys, checkpoints

# The example of Go's package golang.org/x/mod/sumdb/note, where the format comes from.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of C2SP's signed-note: a text with an empty line in it.
C2SP_NOTE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)


def test_a_note_made_elsewhere_holds() -> None:
    key = VerifierKey.parse(GO_KEY)
    note = Note.parse(GO_NOTE)
    assert str(key) == GO_KEY
    assert str(note) == GO_NOTE
    assert [one.key for one in signatures_that_hold(note, [key])] == [key]
    with pytest.raises(Broken, match="does not fit"):
        signatures_that_hold(Note.parse(GO_NOTE.replace("know", "knew")), [key])


def test_a_text_with_an_empty_line_is_read_to_the_last_one() -> None:
    note = Note.parse(C2SP_NOTE)
    assert note.text.endswith("\n\ned è subito sera.\n")
    assert note.signatures[0].name == "quasimodo.example/salvatore"
    assert len(note.signatures[0].signature) == 64


def test_keys_whose_base64_has_plus_signs_are_read() -> None:
    seeds = [seed for seed in range(60) if "+" in to_base64(b"\x01" + Signer(seed=seed).key.public)]
    assert seeds
    for seed in seeds:
        key = Signer(seed=seed).key
        assert VerifierKey.parse(f"  {key}\n") == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        GO_KEY.removeprefix("PeterNeumann"),
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY + "=",
        GO_KEY[:-1] + "X",
        GO_KEY.replace("Peter", "Peter "),
    ],
)
def test_what_is_no_key_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(Broken):
        VerifierKey.parse(text)


def test_base64_has_one_form() -> None:
    """Python alone also takes text whose last bits are not zero."""
    assert base64.b64decode("AB==", validate=True) == b"\x00"
    with pytest.raises(Broken, match="canonical"):
        verifier.from_base64("AB==")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("300", "0300"),
        ("300", "-1"),
        ("300", "9" * 5000),
        ("300", "٣"),
        ("300\n", "300\r\n"),
        ("=\n", "\n"),
        ("\n\n", "\n"),
        ("— ", "- "),
        ("— example.edu", "— example\u2028edu"),
        ("— example.edu", "— example+edu"),
        (" ", "  "),
    ],
)
def test_a_checkpoint_in_another_form_is_refused(old: str, new: str) -> None:
    text = "example.edu/record\n300\n" + "A" * 43 + "=\n\n— example.edu/record AAAAAAAA\n"
    assert Checkpoint.parse(text).size == 300
    with pytest.raises(Broken):
        Checkpoint.parse(text.replace(old, new, 1))


def test_a_checkpoint_is_found_in_a_mail_and_in_a_proof() -> None:
    log = Log()
    body = log.event()
    log.event()
    note = log.sign()
    assert str(find_checkpoint(f"Dear auditor,\n\nkeep this.\n\n----\n{note}").note) == note
    assert str(find_checkpoint(note.replace("\n", "\r\n")).note) == note
    proof = InclusionProof(0, log.tree(2).inclusion(0), Checkpoint.parse(note))
    assert InclusionProof.parse(str(proof)).holds_for(body)
    assert str(find_checkpoint(str(proof)).note) == note
    with pytest.raises(Broken, match="no checkpoint"):
        find_checkpoint("Dear auditor,\n")


# ---- witness policies

KEYS = {name: witness(seed).key for seed, name in enumerate("abcdef", start=40)}
POLICY = "\n".join(
    [
        f"log {Signer().key} https://example.edu/log",
        "# six witnesses, of two houses",
        *(f"witness {name}\t{key}" for name, key in KEYS.items()),
        "group one 2 a b c",
        "  group other any d e f",
        "group both all one other",
        "quorum both",
        "",
    ]
)


@pytest.mark.parametrize(
    ("signers", "met"), [("abd", True), ("abcdef", True), ("ab", False), ("ade", False), ("", False), ("def", False)]
)
def test_a_quorum_counts_groups_in_groups(signers: str, met: bool) -> None:
    assert WitnessPolicy.parse(POLICY).is_met([KEYS[name] for name in signers]) is met


def test_a_policy_may_ask_for_nobody() -> None:
    assert WitnessPolicy.parse("quorum none\n").is_met([])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("quorum both", ""),
        lambda text: text + "quorum both\n",
        lambda text: text.replace("quorum both", "quorum nobody"),
        lambda text: text.replace("group one 2", "group one 4"),
        lambda text: text.replace("group one 2", "group one 0"),
        lambda text: text.replace("any d e f", "any d e f a"),
        lambda text: text.replace("any d e f", "any d none"),
        lambda text: text.replace("group other any d e f", "group other any"),
        lambda text: text.replace("group other", "group one"),
        lambda text: text.replace(f"witness b\t{KEYS['b']}", f"witness b\t{KEYS['a']}"),
        lambda text: text.replace(f"log {Signer().key}", f"log {KEYS['a']}"),
        lambda text: text + "witnes z\n",
    ],
)
def test_a_policy_with_a_fault_is_refused_with_its_line(spoil: Callable[[str], str]) -> None:
    with pytest.raises(Broken, match="itness policy"):
        WitnessPolicy.parse(spoil(POLICY))


# ---- the bytes of an event

words = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(words, values, max_size=5))
@settings(max_examples=80, deadline=None)
def test_canonical_bytes_are_taken_and_no_others(facts: dict[str, Any]) -> None:
    body = Log().event(after=facts)
    assert rfc8785.dumps(read_event(body)) == body
    for other in (json.dumps(json.loads(body)).encode(), body + b" ", b" " + body):
        with pytest.raises(Broken, match="canonical"):
            read_event(other)


def with_text(old: bytes, new: bytes) -> bytes:
    body = Log().event(after={"note": "text"})
    assert old in body
    return body.replace(old, new, 1)


def test_keys_are_in_the_order_of_utf_16() -> None:
    """U+E000 comes before U+1F600 by number, and behind it in UTF-16."""
    body = with_text(b'{"note":"text"}', '{"\U0001f600":1,"\ue000":2}'.encode())
    assert read_event(body)["after"] == {"\U0001f600": 1, "\ue000": 2}
    with pytest.raises(Broken, match="canonical"):
        read_event(with_text(b'{"note":"text"}', '{"\ue000":2,"\U0001f600":1}'.encode()))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"text"', b"1.0", "not a whole number"),
        (b'"text"', b"NaN", "not a whole number"),
        (b'"text"', b"9007199254740992", "too large"),
        (b'"text"', b"9" * 5000, "too large"),
        (b'"text"', b"-0", "canonical"),
        (b'"text"', b'"\\u0041"', "canonical"),
        (b'"text"', b'"\\ud800"', "not JSON"),
        (b'"text"', b'"\xff"', "not JSON"),
        (b'"text"', b"[" * 30_000 + b"]" * 30_000, "not JSON"),
        (b'"text"', b'"text","note":"text"', "canonical"),
        (b'"text"', b'"' + b"x" * 70_000 + b'"', "at most 65536"),
        (b'"version":1', b'"version":2', "version 2"),
        (b'"version":1', b'"version":true', "version"),
        (b'"sequence":1', b'"sequence":0', "place in a stream"),
        (b'"delivery.tried-again"', b'"delivery.forgotten"', "not one that Assent writes"),
        (b".000000Z", b"Z", "microsecond"),
        (b'"reason":null', b'"reason":1', "reason"),
        (b'"title":""', b'"title":null', "who acted"),
        (b'"revision":null', b'"revision":{"digest":"x","number":1}', "revision"),
        (b'"reason":null,', b"", "keys of an event"),
    ],
)
def test_what_is_no_event_is_refused_in_words(old: bytes, new: bytes, said: str) -> None:
    with pytest.raises(Broken, match=said):
        read_event(with_text(old, new))


def test_the_list_of_verbs_is_the_record_s() -> None:
    assert frozenset(Verb) == verifier.VERBS


# ---- whole packages


@pytest.fixture(scope="module")
def log() -> Log:
    """Forty events of four streams, a checkpoint every eight, and a second key from the 25th on."""
    log = Log()
    second = Signer(seed=2)
    for number in range(1, 40):
        log.event(f"delivery/{number % 3}")
        if number == 4:
            log.introduce(log.signer)
        if number == 24:
            log.introduce(second)
        if number % 8 == 0:
            log.sign(second if number > 24 else None)
    log.sign(second)
    return log


@pytest.fixture
def folder(log: Log, tmp_path: Path) -> Path:
    return log.write(tmp_path / "export")


@pytest.fixture
def part(log: Log, tmp_path: Path) -> Path:
    return log.write(tmp_path / "part", only=lambda body: b'"delivery/1"' in body or b'"log"' in body)


class Answer:
    """What the verifier said of a package: the code it would end with, and its words."""

    def __init__(self, package: Path, *options: str, key: VerifierKey | None = None) -> None:
        arguments = [str(package), "--json", *options, *(["--key", str(key)] if key else [])]
        # Not in a process of its own, which would take most of the time.
        read, write = os.pipe()
        with os.fdopen(write, "w") as out:
            before, sys.stdout = sys.stdout, out
            try:
                self.code = verifier.main(arguments)
            finally:
                sys.stdout = before
        with os.fdopen(read) as file:
            data = json.load(file)
        self.failures = [(each["check"], each["sentence"]) for each in data["failures"]]
        self.checks = [check for check, _ in self.failures]
        self.first = self.failures[0][1] if self.failures else ""
        self.words = json.dumps(data, ensure_ascii=False)
        assert data["exit"] == self.code


def test_a_whole_package_holds(folder: Path, part: Path) -> None:
    for package in (folder, part):
        answer = Answer(package, key=Signer().key)
        assert (answer.code, answer.failures) == (HOLDS, [])
        assert Answer(package, key=Signer(seed=2).key).code == HOLDS


def test_without_a_key_it_says_what_that_is_worth(folder: Path) -> None:
    answer = Answer(folder)
    assert answer.code == UNTIED
    assert "whoever made all of it could have made it so" in answer.words


def test_a_zip_file_is_read_where_it_lies(folder: Path, tmp_path: Path) -> None:
    for head in ("", "export-17/"):
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for each in sorted(folder.rglob("*")):
                packed.write(each, f"{head}{each.relative_to(folder)}")
        assert Answer(path, key=Signer().key).code == HOLDS


def test_the_file_alone_runs_without_anything_installed(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "verify.py"
    shutil.copy(FILE, copy)
    run = [sys.executable, "-I", "-S", "-W", "error", str(copy), str(folder), "--key", str(Signer().key)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, env={}, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (HOLDS, "")
    assert "The record holds." in done.stdout
    done = subprocess.run([*run[:6], "--help"], capture_output=True, text=True, timeout=60, env={}, check=False)
    assert "It ends with" in done.stdout


def test_the_file_imports_nothing_but_the_standard_library() -> None:
    found = set()
    for node in ast.walk(ast.parse(FILE.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add((node.module or "").split(".")[0])
    assert found <= sys.stdlib_module_names


# ---- what was altered is found, whoever wrote a new manifest over it


def lines_of(folder: Path) -> dict[Path, list[bytes]]:
    return {path: path.read_bytes().splitlines(keepends=True) for path in sorted(folder.glob("events/*.txt"))}


def rewrite(folder: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of all events, and write the manifest anew."""
    files = lines_of(folder)
    lines = change([line for each in files.values() for line in each])
    for path in files:
        path.unlink()
    (folder / "events/000000000000.txt").write_bytes(b"".join(lines))
    manifest(folder)


def changed(lines: list[bytes]) -> list[bytes]:
    return [*lines[:20], lines[20].replace(b"Assent", b"Ascent"), *lines[21:]]


def test_a_changed_event_is_found_and_placed(folder: Path, part: Path) -> None:
    rewrite(folder, changed)
    answer = Answer(folder, key=Signer().key)
    assert (answer.code, answer.checks) == (FAILS, ["tree", "key"])
    assert "An event from 17 to 25 was changed" in answer.first
    rewrite(part, lambda lines: [lines[0].replace(b"Assent", b"Ascent"), *lines[1:]])
    assert "Event 0 is not the one that the log holds there" in Answer(part, key=Signer().key).first


def renumbered(lines: list[bytes]) -> list[bytes]:
    return [b"%d %b" % (at, line.split(b" ", 1)[1]) for at, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        (lambda lines: lines[:20] + lines[21:], {"order", "stream", "tree"}),
        (lambda lines: renumbered(lines[:20] + lines[21:]), {"stream", "tree"}),
        (lambda lines: renumbered([*lines[:20], lines[21], lines[20], *lines[22:]]), {"tree"}),
        (lambda lines: [*lines[:20], lines[21], lines[20], *lines[22:]], {"order", "tree"}),
        (lambda lines: lines[:30], {"order", "tree"}),
        (lambda lines: renumbered([*lines[:20], lines[20], *lines[20:]]), {"stream", "tree"}),
    ],
)
def test_events_taken_away_added_or_moved_are_found(
    folder: Path, change: Callable[[list[bytes]], list[bytes]], checks: set[str]
) -> None:
    rewrite(folder, change)
    answer = Answer(folder, key=Signer(seed=2).key)
    assert answer.code == FAILS
    assert checks <= set(answer.checks)


def test_every_turned_bit_is_found(folder: Path) -> None:
    """Of events, checkpoints and keys, under a manifest that fits."""
    for name in ("events/000000000010.txt", "checkpoints.jsonl"):
        path = folder / name
        whole = path.read_bytes()
        for at in range(0, len(whole), 97):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            manifest(folder)
            answer = Answer(folder, key=Signer(seed=2).key)
            assert answer.code in (FAILS, UNREADABLE), (name, at)
        path.write_bytes(whole)


def test_a_missing_checkpoint_does_no_harm_but_the_last_does(folder: Path) -> None:
    path = folder / "checkpoints.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:1] + lines[2:]))
    manifest(folder)
    assert Answer(folder, key=Signer().key).code == HOLDS
    path.write_text("".join(lines[:-1]))
    manifest(folder)
    assert "checkpoints sign 34" in Answer(folder, key=Signer().key).first


def test_a_part_whose_log_forked_before_it_is_found(log: Log, tmp_path: Path) -> None:
    other = Log(bodies=[*log.bodies[:12], Log().event(), *log.bodies[13:]], now=log.now - 3_000)
    forked = Log(bodies=log.bodies, checkpoints=list(log.checkpoints), keys=log.keys)
    forked.checkpoints[1] = other.sign(size=17)
    part = forked.write(tmp_path / "part", only=lambda body: b'"log"' in body)
    answer = Answer(part, key=Signer().key)
    assert answer.code == FAILS
    assert ("tree", "The largest checkpoint is not shown to continue the one over 17 events: the log forked.") in (
        answer.failures
    )


def test_a_file_that_the_manifest_does_not_fit_is_named(folder: Path) -> None:
    (folder / "keys.txt").write_text((folder / "keys.txt").read_text() + "\n")
    (folder / "events/strange.txt").write_text("")
    answer = Answer(folder, key=Signer().key)
    assert answer.failures[0] == ("file", "keys.txt is not the file that the manifest lists: its SHA-256 is another.")
    assert "events/strange.txt is there" in answer.failures[1][1]


def test_times_that_cannot_be_are_found(tmp_path: Path) -> None:
    log = Log()
    log.event()
    log.sign()
    long_ago = datetime.fromtimestamp(BEGUN - 90_000, UTC).isoformat(timespec="microseconds")
    log.event("delivery/2", at=long_ago.replace("+00:00", "Z"))
    log.event(at=long_ago.replace("+00:00", "Z"))
    to_come = datetime.fromtimestamp(BEGUN + 90_000, UTC).isoformat(timespec="microseconds")
    log.event(at=to_come.replace("+00:00", "Z"))
    log.event(at="2026-02-30T00:00:00.000000Z")
    log.sign()
    log.now -= 20_000
    log.event("delivery/3")
    log.sign()
    found = [sentence for _, sentence in Answer(log.write(tmp_path / "export"), key=log.signer.key).failures]
    assert found == [
        "Event 1 claims to be of 2026-05-27T19:26:40.000000Z, but a checkpoint signed later does not hold it.",
        "Event 2 of delivery/1 claims a time before the event before it.",
        "Event 2 claims to be of 2026-05-27T19:26:40.000000Z, but a checkpoint signed later does not hold it.",
        "Event 4 is not right: its time 2026-02-30T00:00:00.000000Z is on no calendar.",
        "An event under the checkpoint over 5 events claims a time after it was signed.",
        "The checkpoint over 6 events claims a time before the one before it.",
    ]


# ---- keys


def test_another_logs_key_does_not_fit(folder: Path) -> None:
    answer = Answer(folder, key=Signer("example.org/record", seed=9).key)
    assert answer.code == FAILS
    assert "No checkpoint is signed by a key that is trusted (example.org/record+" in answer.first


def test_a_forger_with_a_key_of_his_own_agrees_with_himself_only(log: Log, tmp_path: Path) -> None:
    forged = Log(signer=Signer(seed=66))
    forged.bodies = list(log.bodies)
    forged.sign()
    package = forged.write(tmp_path / "forged")
    assert Answer(package).code == UNTIED
    assert Answer(package, key=Signer().key).code == FAILS


def test_a_key_that_no_trusted_checkpoint_covers_is_refused(tmp_path: Path) -> None:
    log = Log()
    log.event()
    log.sign()
    thief = Signer(seed=7)
    log.introduce(thief)
    log.sign(thief)
    package = log.write(tmp_path / "export")
    answer = Answer(package, key=log.signer.key)
    assert answer.code == FAILS
    assert "which event 1 introduces; but no checkpoint of a trusted key covers that event" in answer.first
    assert Answer(package).code == FAILS
    # Whoever trusts the new key by another way trusts the log that it signs as a whole.
    log.introduce(log.signer)
    log.sign(thief)
    assert Answer(log.write(tmp_path / "export"), key=thief.key).code == HOLDS


def test_a_replaced_key_signs_no_more(tmp_path: Path) -> None:
    log, second = Log(), Signer(seed=2)
    log.introduce(log.signer)
    log.introduce(second)
    log.sign()
    log.event()
    log.sign(second)
    assert Answer(log.write(tmp_path / "export"), key=log.signer.key).code == HOLDS
    log.event()
    log.sign()
    answer = Answer(log.write(tmp_path / "export"), key=log.signer.key)
    assert answer.failures == [
        ("key", "The checkpoint over 4 events is signed by a key that a later one had already replaced.")
    ]


def test_a_log_that_was_lost_goes_on_under_another_name(tmp_path: Path) -> None:
    log, second = Log(), Signer("example.edu/record-2", seed=2)
    log.introduce(log.signer)
    log.sign()
    lost = Log(bodies=list(log.bodies), now=log.now)
    lost.event()
    head = lost.sign()
    log.introduce(second, lost_head=head)
    log.sign(second)
    package = log.write(tmp_path / "export")
    answer = Answer(package)
    assert (answer.code, answer.failures) == (UNTIED, [])
    assert (
        "goes on as example.edu/record-2. Before that, 2 events had been signed as example.edu/record." in answer.words
    )
    assert Answer(package, key=second.key).code == HOLDS
    old = tmp_path / "old.txt"
    old.write_text(head)
    assert "The log has forked" in Answer(package, "--since", str(old), key=second.key).first
    # To the old key's holder nothing vouches for the new one.
    assert "give it with --key" in Answer(package, key=log.signer.key).first


# ---- old checkpoints


def test_an_old_checkpoint_is_continued_or_the_fork_is_named(
    log: Log, folder: Path, part: Path, tmp_path: Path
) -> None:
    old = tmp_path / "mail.txt"
    old.write_text(f"Dear auditor,\n\n{log.checkpoints[1]}")
    for package in (folder, part):
        assert Answer(package, "--since", str(old), key=Signer().key).code == HOLDS
    other = Log(bodies=[*log.bodies[:12], Log().event(), *log.bodies[13:]])
    old.write_text(other.sign(size=17))
    for package in (folder, part):
        answer = Answer(package, "--since", str(old), key=Signer().key)
        assert answer.code == FAILS
        assert "The log has forked" in answer.first
    other.bodies = [*log.bodies, Log().event()]
    old.write_text(other.sign())
    for package in (folder, part):
        answer = Answer(package, "--since", str(old), key=Signer().key)
        assert answer.first == "The log was longer once: a checkpoint over 42 events was signed, and it now ends at 41."


def test_an_old_checkpoint_of_another_log_is_no_evidence(log: Log, folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.txt"
    stranger = Log(signer=Signer("example.org/record", seed=9), bodies=log.bodies)
    old.write_text(stranger.sign(size=17))
    answer = Answer(folder, "--since", str(old), key=Signer().key)
    assert "is not signed by a key of this log" in answer.first
    old.write_text("nothing")
    answer = Answer(folder, "--since", str(old))
    assert (answer.code, answer.first) == (UNREADABLE, f"{old}: there is no checkpoint in it.")


# ---- witnesses

TWO_OF_THREE = "".join(f"witness w{seed} {witness(seed).key}\n" for seed in (50, 51, 52))
TWO_OF_THREE += "group all-of-them 2 w50 w51 w52\nquorum all-of-them\n"


def test_witnesses_are_counted_on_the_last_checkpoint_that_has_enough(tmp_path: Path) -> None:
    log = Log(policy=TWO_OF_THREE)
    log.event()
    log.sign(witnesses=[witness(50), witness(52)])
    log.event()
    log.sign(witnesses=[witness(51)])
    answer = Answer(log.write(tmp_path / "export"), key=log.signer.key)
    assert answer.code == HOLDS
    assert "signed the log up to 1 events; the 1 after that wait for them" in answer.words


def test_too_few_witnesses_are_too_few(tmp_path: Path) -> None:
    log = Log(policy=TWO_OF_THREE)
    log.event()
    log.sign(witnesses=[witness(51), witness(53)])
    answer = Answer(log.write(tmp_path / "export"), key=log.signer.key)
    assert answer.failures == [
        ("witnesses", "No checkpoint is signed by as many witnesses as the witness policy asks for.")
    ]


def test_an_auditors_own_policy_counts_and_brings_the_logs_key(tmp_path: Path) -> None:
    log = Log()
    log.event()
    log.sign(witnesses=[witness(50), witness(51)])
    package, policy = log.write(tmp_path / "export"), tmp_path / "own.tlog-policy"
    policy.write_text(f"log {log.signer.key}\n{TWO_OF_THREE}")
    assert Answer(package, "--witnesses", str(policy)).code == HOLDS
    policy.write_text(f"log {log.signer.key}\n{TWO_OF_THREE}".replace(" 2 w50", " all w50"))
    assert Answer(package, "--witnesses", str(policy)).checks == ["witnesses"]
    policy.write_text("quorum\n")
    assert Answer(package, "--witnesses", str(policy)).first.startswith("Line 1 of the witness policy:")


def test_a_witness_that_signed_before_the_log_did_is_not_believed(tmp_path: Path) -> None:
    log = Log(policy=TWO_OF_THREE)
    log.event()
    log.sign()
    text = Note.parse(log.checkpoints[0]).text
    log.checkpoints[0] += str(witness(50).timed(text, BEGUN - 10_000)) + str(witness(51).timed(text, 2**40))
    answer = Answer(log.write(tmp_path / "export"), key=log.signer.key)
    assert answer.checks == ["witnesses", "witnesses"]


# ---- packages that are none


def truncated(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    shutil.make_archive(str(folder), "zip", folder)
    path.write_bytes(path.read_bytes()[:-300])
    return path


def spoiled_zip(folder: Path) -> Path:
    """A zip file whose directory is whole and one of whose files is not."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        for each in sorted(folder.rglob("*.*")):
            packed.write(each, str(each.relative_to(folder)))
    path.write_bytes(path.read_bytes().replace(b"tried-again", b"tried-aga1n"))
    return path


def doubled(folder: Path) -> Path:
    """A zip file with two manifests, of which one program reads the first and another the last."""
    path = truncated(folder)
    with zipfile.ZipFile(path, "w") as packed:
        packed.write(folder / "manifest.json", "manifest.json")
        with pytest.warns(UserWarning, match="Duplicate name"):
            packed.write(folder / "manifest.json", "manifest.json")
    return path


def rewritten(name: str, data: bytes) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        if name != "manifest.json":
            manifest(folder)
        return folder

    return spoil


def removed(name: str) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        (folder / name).unlink()
        return folder

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: folder / "nowhere", "There is no "),
        (lambda folder: folder / "keys.txt", "neither a folder nor a zip file"),
        (lambda folder: folder / "events", "it has no manifest.json"),
        (truncated, "neither a folder nor a zip file that is whole"),
        (doubled, "holds two files of one name"),
        (spoiled_zip, "events/000000000000.txt cannot be read"),
        (removed("manifest.json"), "it has no manifest.json"),
        (removed("events/000000000010.txt"), "events/000000000010.txt is missing"),
        (removed("checkpoints.jsonl"), "checkpoints.jsonl is missing"),
        (removed("keys.txt"), "keys.txt is missing"),
        (rewritten(".unfinished.jsonl", b""), "was not finished"),
        (rewritten("manifest.json", b"{}"), "does not say what an export's says"),
        (rewritten("manifest.json", b"[" * 100_000), "manifest.json is not JSON"),
        (rewritten("manifest.json", b'{"format":"assent-record/9"}'), "this verifier reads assent-record/1"),
        (rewritten("checkpoints.jsonl", b"\xff\xfe"), "checkpoints.jsonl, line 1, is not JSON"),
        (rewritten("checkpoints.jsonl", b"[1]\n"), "checkpoints.jsonl, line 1, is not an object"),
        (rewritten("events/000000000010.txt", b"garbage"), "events/000000000010.txt, line 1, is not an index"),
        (rewritten("events/000000000010.txt", b"10 {}"), "events/000000000010.txt, line 1, is not an index"),
        (rewritten("events/000000000010.txt", b"9" * 5000 + b" {}\n"), "is not an index and an event"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(folder: Path, spoil: Callable[[Path], Path], said: str) -> None:
    answer = Answer(spoil(folder), key=Signer().key)
    assert answer.code == UNREADABLE
    assert said in answer.first


@pytest.mark.parametrize(
    "row",
    [{}, {"size": "x", "note": 5}, {"size": 8, "note": "x"}, {"size": None, "note": None, "consistency": 7}],
)
def test_a_checkpoint_that_is_none_fails(folder: Path, part: Path, row: dict[str, Any]) -> None:
    for package in (folder, part):
        path = package / "checkpoints.jsonl"
        path.write_text(lined(row) + path.read_text())
        manifest(package)
        assert Answer(package, key=Signer().key).code == FAILS


def test_checkpoints_stand_in_their_order_each_once(folder: Path) -> None:
    path = folder / "checkpoints.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    for said, some in (
        ("is not in its order, or is twice", [lines[0], *lines]),
        (
            "A checkpoint over 9 events is listed as one over 8",
            [lines[0].replace('"size": 9', '"size": 8'), *lines[1:]],
        ),
    ):
        path.write_text("".join(some))
        manifest(folder)
        answer = Answer(folder, key=Signer().key)
        assert (answer.code, said in answer.words) == (FAILS, True)


@pytest.mark.parametrize("text", ["", '{"index":0}\n', '{"index":0,"hashes":[1]}\n', "[]\n"])
def test_proofs_that_are_none_fail(part: Path, text: str) -> None:
    path = sorted(part.glob("proofs/*"))[0]
    path.write_text(text)
    manifest(part)
    assert Answer(part, key=Signer().key).code in (FAILS, UNREADABLE)


@pytest.mark.parametrize("given", [{"left_out": 5}, {"left_out": {"a": 1}}, {"missing": 7}, {"missing": None}])
def test_a_manifest_that_lists_no_list_cannot_be_read(folder: Path, given: dict[str, Any]) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | given))
    assert Answer(folder, key=Signer().key).code == UNREADABLE


@pytest.mark.parametrize("key", ["x", "a+b+c", "nowhere.txt"])
def test_a_key_that_is_none_is_said_to_be(folder: Path, key: str) -> None:
    assert Answer(folder, "--key", key).code == UNREADABLE


@given(st.dictionaries(st.sampled_from(["format", "size", "scope", "files", "missing"]), values, max_size=5))
@settings(max_examples=40, deadline=None)
def test_no_manifest_whatever_brings_it_down(tmp_path_factory: pytest.TempPathFactory, said: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("export")
    (folder / "manifest.json").write_text(json.dumps({"format": "assent-record/1"} | said))
    assert Answer(folder).code != HOLDS
