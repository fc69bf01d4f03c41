# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage-guided fuzzing: `python -m tests.fuzz`, or `make fuzz TIME=600 TARGET=packets`.

Each target runs in a process of its own, from its seeds, with a memory limit and a time limit for
each input. An input that breaks a promise is kept in corpus/TARGET/ as hexadecimal text, where
tests/unit/engine/fuzz/ tries it ever after: commit it together with what mends it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

MAXIMUM_INPUT = {
    "packets": 2048,
    "solicitations": 512,
    "config": 4096,
    "control": 4096,
    "journal": 32768,
}
MEMORY_MB = 512
INPUT_TIME_S = 10


def main() -> int:
    """Fuzz every target that was asked for; 0 when no promise was broken."""
    options = _options()
    if importlib.util.find_spec("atheris") is None:
        print("the fuzzer is not here: pip install atheris (wheels exist for x86-64)")
        return 1
    seed = options.seed if options.seed is not None else random.randrange(1, 1 << 31)
    names = [options.target] if options.target else sorted(MAXIMUM_INPUT)
    broken = [name for name in names if not _fuzz(name, seed, options)]
    for name in broken:
        print(f"{name}: a promise is broken, see above", flush=True)
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", choices=sorted(MAXIMUM_INPUT))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--runs", type=int, default=-1, help="for each target, if they come first")
    parser.add_argument("--seed", type=int, help="repeats a run")
    parser.add_argument("--input", type=Path, help="only try this file, as octets or hexadecimal")
    return parser.parse_args()


def _fuzz(name: str, seed: int, options: argparse.Namespace) -> bool:
    import seeds  # with everything that it imports: the child instruments its own

    with tempfile.TemporaryDirectory(prefix="vgt-fuzz-") as directory:
        corpus, found = Path(directory, "corpus"), Path(directory, "found")
        corpus.mkdir()
        found.mkdir()
        if options.input:
            data = options.input.read_bytes()
            if options.input.suffix == ".hex":
                data = bytes.fromhex(data.decode("ascii"))
            inputs = [Path(directory, "input")]
            inputs[0].write_bytes(data)
        else:
            for number, data in enumerate(seeds.seeds(name)):
                Path(corpus, "%04d" % number).write_bytes(data)
            inputs = [corpus]
        print(f"--- {name}: seed={seed}", flush=True)
        child = [sys.executable, str(Path(__file__).with_name("child.py")), name]
        child += [f"-seed={seed}", f"-runs={options.runs}", f"-max_total_time={options.seconds}"]
        child += [f"-max_len={MAXIMUM_INPUT[name]}", f"-rss_limit_mb={MEMORY_MB}"]
        child += [f"-timeout={INPUT_TIME_S}", f"-artifact_prefix={found}/"]
        child += ["-print_final_stats=1", "-verbosity=0", *map(str, inputs)]
        # The fuzzer ends its process in a way that leaves no time to clean up.
        env = dict(os.environ, TMPDIR=directory)
        status = subprocess.run(child, check=False, env=env).returncode
        for path in sorted(found.iterdir()):
            _keep(name, path)
    return status == 0


def _keep(name: str, path: Path) -> None:
    import seeds

    kept = seeds.CORPUS / name / f"{path.name[:24]}.hex"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(seeds.as_text(path.read_bytes()), encoding="ascii")
    print(f"{name}: kept as {kept}; again: make fuzz TARGET={name} INPUT={kept}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
