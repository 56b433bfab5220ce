#!/usr/bin/env python3
"""The size of a three-LED program, with ensue and with a bare heap: ./size.py

Builds both with opt-level "s", adds up what they take of flash and static RAM, and runs each for
some simulated seconds in QEMU, over RAM that has been painted, to see how deep the stack went. The
pin changes are counted: a program that does nothing would be small too. Needs qemu-system-arm and
arm-none-eabi-size (binutils-arm-none-eabi).
"""
import os, re, subprocess, sys, time

RAM, RAM_SIZE, PAINT = 0x20000000, 0x400000, b"\xa5"
os.chdir(os.path.dirname(os.path.abspath(__file__)))


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure(program):
    elf = f"target/thumbv7m-none-eabi/small/{program}"
    sections = {}
    for line in run("arm-none-eabi-size", "-A", elf).splitlines():
        match = re.match(r"(\.\S+)\s+(\d+)\s+\d+", line)
        if match:
            sections[match[1]] = int(match[2])
    size = lambda *names: sum(sections.get(name, 0) for name in names)

    static = size(".data", ".bss", ".uninit")
    free = (static + 7) // 8 * 8
    paint, dump, log = (f"target/{program}.{what}" for what in ("paint", "dump", "log"))
    with open(paint, "wb") as file:
        file.write(PAINT * (RAM_SIZE - free))
    qemu = subprocess.Popen(
        ["timeout", "60", "qemu-system-arm", "-cpu", "cortex-m3", "-machine", "mps2-an385", "-display", "none",
         "-serial", "null", "-monitor", "stdio", "-icount", "shift=6,sleep=off,align=off", "-d", "unimp", "-D", log,
         "-device", f"loader,file={paint},addr={RAM + free:#x},force-raw=on", "-kernel", elf],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    time.sleep(2)
    qemu.communicate(f"stop\npmemsave {RAM:#x} {RAM_SIZE:#x} {dump}\nquit\n")
    with open(dump, "rb") as file:
        ram = file.read()
    deepest = next(place for place in range(free, RAM_SIZE) if ram[place] != PAINT[0])
    stack = RAM_SIZE - deepest
    with open(log) as file:
        changes = sum(1 for line in file if re.search(r"write.*offset 0x0*4\b", line))
    for file in (paint, dump, log):
        os.remove(file)
    if changes < 100:
        sys.exit(f"{program} changed its pins {changes} times: it does not run")
    flash = size(".vector_table", ".text", ".rodata", ".data")
    print(f"{program:12}{flash:8}{sections['.vector_table']:10}{static:10}{stack:8}{static + stack:8}")


run("cargo", "build", "--quiet", "--profile", "small", "--bin", "leds", "--bin", "leds_heap")
print(f"{'bytes':12}{'flash':>8}{'vectors':>10}{'static':>10}{'stack':>8}{'RAM':>8}")
measure("leds")
measure("leds_heap")
