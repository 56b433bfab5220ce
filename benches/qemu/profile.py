#!/usr/bin/env python3
"""Where the instructions go: runs `trace` one instruction at a time and lays the counts over the source.

    cargo build --release --bin trace && ./profile.py [small]

Three parts are traced (a periodic expiry, arm and cancel, an event to eight). For each it prints the
instructions per round by function and by source line, inlined calls under the function they were
written in. Needs qemu-system-arm and arm-none-eabi-addr2line (binutils-arm-none-eabi).
"""
import collections, os, re, subprocess, sys

profile = sys.argv[1] if len(sys.argv) > 1 else "release"
elf = f"target/thumbv7m-none-eabi/{profile}/trace"
log = "target/trace.log"
subprocess.run(
    ["timeout", "120", "qemu-system-arm", "-cpu", "cortex-m3", "-machine", "mps2-an385", "-display", "none",
     "-monitor", "none", "-serial", "null", "-semihosting-config", "enable=on,target=native",
     "-singlestep", "-d", "exec,nochain", "-D", log, "-kernel", elf], check=True)

symbols = {}
for line in subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True).stdout.splitlines():
    address, _, name = line.split(maxsplit=2)
    symbols[name] = int(address, 16)
begin, end = symbols["trace_begin"] & ~1, symbols["trace_end"] & ~1

parts, current = [], None
for line in open(log):
    match = re.match(r"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/", line)
    if not match:
        continue
    pc = int(match[1], 16)
    if pc == begin:
        current = collections.Counter()
    elif pc == end:
        parts.append(current)
        current = None
    elif current is not None:
        current[pc] += 1
os.remove(log)

def frames(addresses):
    """For each address the chain of (function, file:line), innermost first."""
    out = subprocess.run(["arm-none-eabi-addr2line", "-e", elf, "-f", "-C", "-i", "-a"] + [hex(a) for a in addresses],
                         capture_output=True, text=True).stdout.splitlines()
    chains, chain = [], None
    lines = iter(out)
    for line in lines:
        if line.startswith("0x"):
            chain = []
            chains.append(chain)
        else:
            place = next(lines).split(" (")[0]
            chain.append((line, place))
    return dict(zip(addresses, chains))

ROUNDS = 100
names = ["one periodic expiry, N = 8", "arm and cancel, 32 others", "one event to 8"]
for name, part in zip(names, parts):
    chains = frames(sorted(part))
    by_function, by_line = collections.Counter(), collections.Counter()
    for pc, count in part.items():
        # The innermost frame in our own source; what lies deeper is the standard library's.
        ours = [f for f in chains[pc] if "/src/" in f[1] and "/rustc/" not in f[1] and "/registry/" not in f[1]]
        function, place = ours[0] if ours else chains[pc][-1]
        by_function[function] += count
        file, _, number = place.rpartition(":")
        by_line[(os.path.basename(file), number, function)] += count
    print(f"\n{name}: {sum(part.values()) / ROUNDS:.1f} instructions a round")
    for function, count in by_function.most_common(30):
        print(f"  {count / ROUNDS:7.1f}  {function}")
    print("  by line")
    for (file, number, function), count in by_line.most_common(45):
        print(f"  {count / ROUNDS:7.1f}  {file}:{number}  {function}")
