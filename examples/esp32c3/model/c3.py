#!/usr/bin/env python3
"""A small model of an ESP32-C3, for a smoke test of the programs beside it.

    pip install -r requirements.txt
    ./c3.py ../target/riscv32imc-unknown-none-elf/release/node      type commands; `quit` ends

It knows what these programs touch: the core (that of Unicorn, 160 MHz, an instruction a cycle), the
interrupt matrix, the system timer, UART0, the button, and the few functions of the chip's ROM that
matter. Any other register remembers what was written to it, and nothing else happens.

It shows that a program starts, arms its alarm, sleeps, and wakes by an interrupt. It was written
from the manual and from what esp-hal does; it is no evidence of how silicon behaves.

A program ends by printing `exit code N`, and the model ends with that code.
"""

import argparse
import os
import re
import select
import sys
import time

from elftools.elf.elffile import ELFFile
from unicorn import UC_ARCH_RISCV, UC_HOOK_CODE, UC_MODE_RISCV32, Uc, UcError
from unicorn import riscv_const as riscv

HZ = 160_000_000
"""Cycles in a second."""

SLICE = 32
"""Instructions between two looks at the interrupts."""

MEMORY = {
    0x3C00_0000: 0x80_0000,  # constants in flash
    0x3FC8_0000: 0x6_0000,  # RAM as data
    0x3FF0_0000: 0x2_0000,  # ROM as data
    0x4000_0000: 0x6_0000,  # ROM
    0x4037_C000: 0x6_4000,  # RAM as code
    0x4200_0000: 0x80_0000,  # code in flash
    0x5000_0000: 0x2000,  # RTC RAM
}
ROM = (0x4000_0000, 0x4005_FFFF)
REGISTERS = (0x6000_0000, 0xD_1000)


class Device:
    """Registers from `base` on. One that the model knows nothing of remembers what was written."""

    def __init__(self, base):
        self.base = base
        self.kept = {}

    def read(self, at, now):
        return self.kept.get(at, 0)

    def write(self, at, value, now):
        self.kept[at] = value

    def due(self, now):
        """In how many cycles something happens by itself, or None."""

    def step(self, now):
        """What has happened by itself."""

    def sources(self):
        """The numbers of the interrupts that it raises."""
        return []


class SystemTimer(Device):
    """16 MHz, three alarms; each can also repeat."""

    RATIO = HZ // 16_000_000

    def __init__(self):
        super().__init__(0x6002_3000)
        self.latched = self.raw = self.enabled = 0
        self.targets = [0, 0, 0]

    def is_armed(self, alarm):
        return self.kept.get(0, 0) >> (24 - alarm) & 1 and not self.raw >> alarm & 1

    def period(self, alarm):
        config = self.kept.get(0x34 + 4 * alarm, 0)
        return config & 0x3FF_FFFF if config >> 30 & 1 else None

    def due(self, now):
        armed = [self.targets[alarm] for alarm in range(3) if self.is_armed(alarm)]
        return max(0, min(armed) * self.RATIO - now) if armed else None

    def step(self, now):
        for alarm in range(3):
            if self.is_armed(alarm) and now >= self.targets[alarm] * self.RATIO:
                self.raw |= 1 << alarm
                self.targets[alarm] += self.period(alarm) or 0

    def read(self, at, now):
        known = {
            0x04: 1 << 29,  # the latched value is valid
            0x40: self.latched >> 32,
            0x44: self.latched & 0xFFFF_FFFF,
            0x64: self.enabled,
            0x68: self.raw,
            0x70: self.raw & self.enabled,
        }
        return known.get(at, super().read(at, now))

    def write(self, at, value, now):
        super().write(at, value, now)
        if at == 0x04:
            self.latched = now // self.RATIO
        elif at in (0x50, 0x54, 0x58):
            alarm = (at - 0x50) // 4
            high, low = (self.kept.get(part + 8 * alarm, 0) for part in (0x1C, 0x20))
            period = self.period(alarm)
            self.targets[alarm] = now // self.RATIO + period if period else high << 32 | low
        elif at == 0x64:
            self.enabled = value
        elif at == 0x6C:
            self.raw &= ~value

    def sources(self):
        return [37 + alarm for alarm in range(3) if self.raw & self.enabled & 1 << alarm]


class Serial(Device):
    """UART0: what is sent goes to the standard output; what is typed comes byte by byte."""

    BYTE = HZ // 11_520
    """How long a byte takes at 115,200 baud."""
    QUEUE = 128

    def __init__(self):
        super().__init__(0x6000_0000)
        self.typed, self.queue = [], []
        self.next_at = 0
        self.raw = self.enabled = 0
        self.line = ""
        self.exit = None

    def type(self, text, now):
        if text and not self.typed:
            self.next_at = max(self.next_at, now + self.BYTE)
        self.typed += text

    def send(self, byte):
        sys.stdout.write(chr(byte))
        self.line += chr(byte)
        if byte == ord("\n"):
            sys.stdout.flush()
            if last := re.fullmatch(r"exit code (\d+)\s*", self.line):
                self.exit = int(last[1])
            self.line = ""

    def due(self, now):
        return max(0, self.next_at - now) if self.typed else None

    def step(self, now):
        while self.typed and now >= self.next_at:
            if len(self.queue) < self.QUEUE:
                self.queue.append(self.typed.pop(0))
            else:
                self.typed.pop(0)
                self.raw |= 1 << 4  # overflow
            self.next_at += self.BYTE
        self.notice()

    def notice(self):
        enough = self.kept.get(0x24, 0) & 0x1FF
        if self.queue and len(self.queue) >= enough:
            self.raw |= 1

    def read(self, at, now):
        if at == 0x00:
            return self.queue.pop(0) if self.queue else 0
        known = {
            0x04: self.raw,
            0x08: self.raw & self.enabled,
            0x0C: self.enabled,
            0x1C: len(self.queue),
            0x80: self.kept.get(0x80, 0) & ~(1 << 31),  # the registers are up to date
        }
        return known.get(at, super().read(at, now))

    def write(self, at, value, now):
        super().write(at, value, now)
        if at == 0x00:
            self.send(value & 0xFF)
        elif at == 0x0C:
            self.enabled = value
        elif at == 0x10:
            self.raw &= ~value
            self.notice()

    def sources(self):
        return [21] if self.raw & self.enabled else []


class Button(Device):
    """The pins, of which one has a button to ground. It is held for 50 ms."""

    PIN = 9
    HELD = HZ // 20
    FALLING = (2, 3)
    RISING = (1, 3)

    def __init__(self, presses):
        super().__init__(0x6000_4000)
        down = [(int(second * HZ), 0) for second in presses]
        self.edges = sorted(down + [(at + self.HELD, 1) for at, _ in down])
        self.level = 1
        self.raw = 0

    def config(self):
        return self.kept.get(0x74 + 4 * self.PIN, 0)

    def due(self, now):
        return max(0, self.edges[0][0] - now) if self.edges else None

    def step(self, now):
        while self.edges and now >= self.edges[0][0]:
            self.level = self.edges.pop(0)[1]
            if self.config() >> 7 & 7 in (self.RISING if self.level else self.FALLING):
                self.raw |= 1 << self.PIN

    def read(self, at, now):
        known = {0x3C: self.level << self.PIN, 0x44: self.raw, 0x5C: self.raw}
        return known.get(at, super().read(at, now))

    def write(self, at, value, now):
        super().write(at, value, now)
        if at == 0x4C:
            self.raw &= ~value

    def sources(self):
        return [16] if self.raw and self.config() >> 13 & 1 else []


class Calibration(Device):
    """The part of a timer group that measures the slow clock: it is always ready."""

    def read(self, at, now):
        known = {0x68: self.kept.get(0x68, 0) | 1 << 15, 0x6C: 0x8000 << 7}
        return known.get(at, super().read(at, now))


class Matrix(Device):
    """Which interrupt goes to which of the core's lines, and which of those are heard."""

    def __init__(self, devices, software):
        super().__init__(0x600C_2000)
        self.devices, self.software = devices, software

    def active(self):
        raised = [number for device in self.devices for number in device.sources()]
        by_software = [50 + n for n in range(4) if self.software.kept.get(0x28 + 4 * n, 0) & 1]
        return raised + by_software

    def read(self, at, now):
        if at in (0xF8, 0xFC):
            first = 32 * ((at - 0xF8) // 4)
            return sum(1 << n - first for n in self.active() if first <= n < first + 32)
        return super().read(at, now)

    def line(self):
        """The line of the most urgent interrupt that is heard, or 0."""
        threshold = max(1, self.kept.get(0x194, 0))
        most_urgent = (0, 0)
        for source in self.active():
            line = self.kept.get(4 * source, 0) & 31
            urgency = self.kept.get(0x114 + 4 * line, 0)
            if line and self.kept.get(0x104, 0) >> line & 1 and urgency >= threshold:
                most_urgent = max(most_urgent, (urgency, line))
        return most_urgent[1]


class Chip:
    """The core, the memory and the devices."""

    def __init__(self, program, presses):
        self.cycles = 0
        self.is_asleep = False
        self.serial = Serial()
        software = Device(0x600C_0000)
        calibration = Calibration(0x6001_F000)
        self.devices = [SystemTimer(), self.serial, Button(presses), calibration, software]
        self.matrix = Matrix(self.devices, software)
        self.at_base = {device.base: device for device in [*self.devices, self.matrix]}

        self.core = Uc(UC_ARCH_RISCV, UC_MODE_RISCV32)
        for base, size in MEMORY.items():
            self.core.mem_map(base, size)
        self.core.mmio_map(*REGISTERS, self.read, None, self.write, None)
        self.load(ELFFile(program))
        # esp-hal relies on the boot loader to enter with interrupts on.
        self.core.reg_write(riscv.UC_RISCV_REG_MSTATUS, 0x1888)

    def device(self, address):
        base = address & ~0xFFF
        return self.at_base.setdefault(base, Device(base))

    def read(self, _core, offset, _size, _data):
        address = REGISTERS[0] + offset
        return self.device(address).read(address & 0xFFF, self.cycles)

    def write(self, _core, offset, _size, value, _data):
        address = REGISTERS[0] + offset
        self.device(address).write(address & 0xFFF, value, self.cycles)

    def load(self, elf):
        self.pc = elf["e_entry"]
        sleeps = []
        for segment in elf.iter_segments("PT_LOAD"):
            if not segment["p_filesz"]:
                continue
            data, start = bytearray(segment.data()), segment["p_vaddr"]
            if segment["p_flags"] & 1:
                sleeps += [start + at for at in prepare(data)]
            self.core.mem_write(start, bytes(data))
        for address in sleeps:
            self.core.hook_add(UC_HOOK_CODE, self.sleep, begin=address, end=address)

        symbols = elf.get_section_by_name(".symtab")
        named = {symbol.name: symbol["st_value"] for symbol in symbols.iter_symbols()}
        functions = {
            "memcpy": self.copy,
            "memmove": self.copy,
            "memset": self.fill,
            "memcmp": self.compare,
            "bcmp": self.compare,
            "__udivdi3": lambda: self.divide(lambda a, b: a // b),
            "__umoddi3": lambda: self.divide(lambda a, b: a % b),
            "ets_delay_us": self.delay,
            "rtc_get_reset_reason": lambda: self.answer(1),
            # They set up clocks, which are right from the start here.
            "ets_update_cpu_frequency": lambda: None,
            "ets_get_printf_channel": lambda: self.answer(0),
            "uart_tx_flush": lambda: None,
            "rom_i2c_writeReg": lambda: None,
            "rom_i2c_writeReg_Mask": lambda: None,
            "esp_rom_regi2c_read": lambda: self.answer(0),
        }
        self.rom = {named[name]: call for name, call in functions.items() if name in named}
        self.rom[0x4000_0068] = self.send  # uart_tx_one_char, which has no name in a program
        self.names = {address: name for name, address in named.items()}
        returns = b"\x82\x80" * ((ROM[1] + 1 - ROM[0]) // 2)
        self.core.mem_write(ROM[0], returns)
        self.core.hook_add(UC_HOOK_CODE, self.call, begin=ROM[0], end=ROM[1])

    def call(self, _core, address, _size, _data):
        """A function of the ROM has its effect just before it returns."""
        if address not in self.rom:
            name = self.names.get(address, "without a name")
            sys.exit(f"the model lacks the ROM function at {address:#x}, {name}")
        self.rom[address]()

    def arguments(self):
        first = riscv.UC_RISCV_REG_A0
        return [self.core.reg_read(first + n) for n in range(4)]

    def answer(self, low, high=None):
        self.core.reg_write(riscv.UC_RISCV_REG_A0, low)
        if high is not None:
            self.core.reg_write(riscv.UC_RISCV_REG_A1, high)

    def copy(self):
        to, start, length, _ = self.arguments()
        self.core.mem_write(to, bytes(self.core.mem_read(start, length)))

    def fill(self):
        start, byte, length, _ = self.arguments()
        self.core.mem_write(start, bytes([byte & 0xFF]) * length)

    def compare(self):
        first, second, length, _ = self.arguments()
        first, second = (bytes(self.core.mem_read(at, length)) for at in (first, second))
        self.answer((first > second) - (first < second) & 0xFFFF_FFFF)

    def delay(self):
        self.cycles += self.arguments()[0] * (HZ // 1_000_000)

    def divide(self, operation):
        a, a_high, b, b_high = self.arguments()
        result = operation(a | a_high << 32, max(1, b | b_high << 32))
        self.answer(result & 0xFFFF_FFFF, result >> 32)

    def send(self):
        self.serial.send(self.arguments()[0] & 0xFF)
        self.answer(0)

    def sleep(self, core, _address, _size, _data):
        self.is_asleep = True
        core.emu_stop()

    def due(self):
        times = [device.due(self.cycles) for device in self.devices]
        return min((time for time in times if time is not None), default=None)

    def run(self):
        """Goes on until an interrupt has been looked for; nothing happens while it is asleep."""
        for device in self.devices:
            device.step(self.cycles)
        line = self.matrix.line()
        if line:
            self.is_asleep = False  # whether interrupts are masked or not
        if self.is_asleep:
            return
        status = self.core.reg_read(riscv.UC_RISCV_REG_MSTATUS)
        if line and status & 8:
            self.core.reg_write(riscv.UC_RISCV_REG_MEPC, self.pc)
            self.core.reg_write(riscv.UC_RISCV_REG_MCAUSE, 1 << 31 | line)
            self.core.reg_write(riscv.UC_RISCV_REG_MSTATUS, status & ~0x1888 | 0x1880)
            self.pc = (self.core.reg_read(riscv.UC_RISCV_REG_MTVEC) & ~0xFF) + 4 * line
        self.core.emu_start(self.pc, 0xFFFF_FFFF, count=SLICE)
        self.cycles += SLICE
        self.pc = self.core.reg_read(riscv.UC_RISCV_REG_PC)
        if self.is_asleep:
            self.pc += 4


def prepare(code):
    """Finds each `wfi`. Reading a register of the core that Unicorn lacks becomes reading 0: those
    of memory protection, of the debugger, and Espressif's own."""
    sleeps, at = [], 0
    while at + 4 <= len(code):
        if code[at] & 3 != 3:
            at += 2
            continue
        word = int.from_bytes(code[at : at + 4], "little")
        number = word >> 20
        is_missing = 0x3A0 <= number < 0x3F0 or 0x7A0 <= number < 0x820 or 0xBC0 <= number < 0xC00
        if word == 0x1050_0073:
            sleeps.append(at)
        elif word & 0x7F == 0x73 and word >> 12 & 7 and is_missing:
            code[at : at + 4] = (0x13 | word & 0xF80).to_bytes(4, "little")
        at += 4
    return sleeps


class Keyboard:
    """The standard input, as long as there is one."""

    def __init__(self):
        self.is_open = True

    def wait(self, seconds):
        """What was typed, at the latest after this time; `None` is for ever."""
        if not self.is_open:
            time.sleep(seconds or 0)
            return b""
        if not select.select([sys.stdin], [], [], seconds)[0]:
            return b""
        text = os.read(sys.stdin.fileno(), 4096)
        self.is_open = bool(text)
        return text


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program")
    arguments.add_argument(
        "--jump", action="store_true", help="a sleeping core is at its alarm at once"
    )
    arguments.add_argument(
        "--press", type=float, action="append", default=[], help="the button, at this second"
    )
    options = arguments.parse_args()
    with open(options.program, "rb") as program:
        chip = Chip(program, options.press)

    keyboard = Keyboard()
    while chip.serial.exit is None:
        try:
            chip.run()
        except UcError as error:
            sys.exit(f"{error} at {chip.core.reg_read(riscv.UC_RISCV_REG_PC):#x}")
        if not chip.is_asleep:
            continue
        due = chip.due()
        if options.jump or not keyboard.is_open:
            if due is None:
                sys.exit("asleep, and nothing can wake it")
            chip.cycles += max(1, due)
            continue
        begun = time.monotonic()
        text = keyboard.wait(due and due / HZ)
        passed = int((time.monotonic() - begun) * HZ)
        chip.cycles += max(1, passed if due is None else min(passed, due))
        chip.serial.type(text, chip.cycles)
    sys.exit(chip.serial.exit)


if __name__ == "__main__":
    main()
