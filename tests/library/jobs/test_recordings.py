"""Sounds and films from end to end: registered, audited, explained."""

import json

import numpy as np
import pytest
from cast import rows_of, run
from recordings import RATE_HZ, encode_film, encode_music, music

from askfirst.api import make_policy
from askfirst.cli import main
from askfirst.jobs.build import build_register
from askfirst.jobs.look import find_item, fingerprint_file, match_file
from askfirst.register import Register


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    folder = tmp_path_factory.mktemp("works")
    (folder / "files").mkdir()
    for seed in range(3):
        (folder / "files" / f"song-{seed}.wav").write_bytes(encode_music(music(seed, 60)))
    (folder / "files" / "film.mkv").write_bytes(encode_film(7, 30))
    lines = [
        "file,title,creator,terms",
        "files/song-0.wav,Song 0,Ada Example,no",
        "files/song-1.wav,Song 1,Ada Example,no",
    ]
    lines += ["files/song-2.wav,Song 2,Bo Example,no", "files/film.mkv,The Film,Cy Example,no"]
    (folder / "catalogue.csv").write_text("\n".join(lines) + "\n")
    (folder / "terms.json").write_text(json.dumps({"no": {"refuses": ["train-generative"]}}))
    return folder


@pytest.fixture(scope="module")
def register(works, tmp_path_factory):
    out = tmp_path_factory.mktemp("register") / "register"
    build_register(works / "catalogue.csv", out)
    return out


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("input") / "dataset"
    folder.mkdir()
    chance = np.random.default_rng(1)
    excerpt = music(1, 60)[20 * RATE_HZ : 35 * RATE_HZ]
    noise = chance.normal(0, 600, len(excerpt)).astype(np.int16)
    (folder / "excerpt.mp3").write_bytes(encode_music(excerpt // 2 + noise, "mp3", 64_000))
    (folder / "other.ogg").write_bytes(encode_music(music(99, 20), "ogg"))
    (folder / "silence.flac").write_bytes(encode_music(np.zeros(10 * RATE_HZ, np.int16), "flac"))
    (folder / "clip.mkv").write_bytes(encode_film(7, 12, first=10, quality=12))
    (folder / "unrelated.mkv").write_bytes(encode_film(11, 12))
    (folder / "broken.mp3").write_bytes(encode_music(excerpt, "mp3", 64_000)[:150] + b"\0" * 5000)
    return folder


@pytest.fixture(scope="module")
def audited(register, dataset, tmp_path_factory):
    return run([dataset], register, tmp_path_factory.mktemp("out") / "out")


def test_excerpts_of_recordings_and_films_are_refused_and_others_are_not(audited):
    outcomes = {name.removeprefix("dataset/"): row[0] for name, row in rows_of(audited).items()}
    assert outcomes == {
        "broken.mp3": "unreadable",
        "clip.mkv": "refused",
        "excerpt.mp3": "refused",
        "other.ogg": "unasked",
        "silence.flac": "unasked",
        "unrelated.mkv": "unasked",
    }


def test_the_place_in_the_recording_is_told(audited):
    (fact,) = [e for e in find_item(audited.out, "dataset/excerpt.mp3")["evidence"] if e["kind"] == "match"]
    where = json.loads(fact["where"])
    assert fact["name"] == "audio"
    assert where["work"] == pytest.approx([20, 35], abs=1.5)
    assert where["item"] == pytest.approx([0, 15], abs=1.5)
    assert [where["tempo"], where["pitch"]] == pytest.approx([1, 1], abs=0.01)


def test_a_film_is_found_by_its_pictures_and_by_its_sound(audited):
    facts = {e["name"]: json.loads(e["where"]) for e in find_item(audited.out, "dataset/clip.mkv")["evidence"]}
    assert set(facts) == {"audio", "video"}
    assert facts["video"]["work"] == pytest.approx([10, 22], abs=2)
    assert facts["audio"]["work"] == pytest.approx([10, 22], abs=2)


@pytest.mark.parametrize(("language", "word"), [("en", "0:20"), ("de", "Aufnahme"), ("nl", "opname")])
def test_the_match_is_explained_in_words(audited, capsys, language, word):
    with pytest.raises(SystemExit, match="0"):
        main(["explain", str(audited.out), "dataset/excerpt.mp3", "--language", language])
    assert word in capsys.readouterr().out


def test_one_file_is_compared_beside_a_register(register, dataset, works):
    found = match_file(dataset / "clip.mkv", Register.open(register), make_policy())
    assert {match["kind"] for match in found["matches"]} == {"audio", "video"}
    exact = match_file(works / "files" / "song-2.wav", Register.open(register), make_policy())
    assert {match["kind"] for match in exact["matches"]} == {"audio", "digest"}


def test_what_leaves_home_of_a_minute_is_peaks(works):
    shown = fingerprint_file(works / "files" / "song-0.wav")
    assert 300 < len(shown["audio"]["frames"]) < 720


def test_a_poem_of_three_lines_is_found_whole_in_a_page(tmp_path):
    (tmp_path / "works").mkdir()
    (tmp_path / "works" / "poem.txt").write_text("The ferry leaves; the harbour keeps its light for me.")
    build_register(tmp_path / "works", tmp_path / "register")
    page = tmp_path / "page.txt"
    page.write_text(
        "What she wrote was this:\n\nTHE FERRY LEAVES\nthe harbour keeps\nits light for me\n\nand no more. " * 2
    )
    (match,) = match_file(page, Register.open(tmp_path / "register"), make_policy())["matches"]
    assert (match["kind"], match["where"]["params"]) == ("text", "whole")
