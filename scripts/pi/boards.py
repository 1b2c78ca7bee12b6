"""The boards that are emulated: their processor, and what is installed on them."""

from __future__ import annotations

from dataclasses import dataclass

RUNTIMES = {"tflite": "tflite-runtime", "litert": "ai-edge-litert"}
"""The package of each runtime, by the name of the project's extra."""

PYTHON_PACKAGES = {
    "numpy": "python3-numpy",
    "opencv-python-headless": "python3-opencv",
    "pillow": "python3-pil",
    "tqdm": "python3-tqdm",
}
"""Debian's packages of what the runtime side needs, for a machine that has no wheels of them."""


@dataclass(frozen=True)
class Board:
    """A Raspberry Pi: `arch` as Debian calls it, `machine` as uname and wheels do.

    `emulator`: QEMU's program for it; `cpu`: QEMU's name of the processor, `part` and `features` as
    /proc/cpuinfo tells them. `runtimes`: those with wheels for it; `from_debian`: whether NumPy and its
    like come from Debian. `libraries`: folders of the userland that Debian finds by its alternatives.
    """

    name: str
    arch: str
    machine: str
    emulator: str
    cpu: str
    part: str
    features: str
    runtimes: tuple[str, ...]
    from_debian: bool = False
    libraries: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """The model's number: "4"."""
        return self.name.split()[-1]

    def cpuinfo(self) -> str:
        """Return /proc/cpuinfo as the board has it: ai-edge-litert dies on that of an x86 machine."""
        fields = {
            "BogoMIPS": "108.00",
            "Features": self.features,
            "CPU implementer": "0x41",
            "CPU architecture": "8" if self.machine == "aarch64" else "7",
            "CPU variant": "0x0",
            "CPU part": self.part,
            "CPU revision": "3",
        }
        lines = "".join(f"{name}\t: {value}\n" for name, value in fields.items())
        cores = "".join(f"processor\t: {core}\n{lines}\n" for core in range(4))
        return f"{cores}Model\t\t: {self.name}\n"


_ARM64 = "fp asimd evtstrm crc32 cpuid"
_ARMHF = "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm"

BOARDS = (
    Board(
        name="Raspberry Pi 4",
        arch="arm64",
        machine="aarch64",
        emulator="qemu-aarch64-static",
        cpu="cortex-a72",
        part="0xd08",
        features=_ARM64,
        runtimes=("tflite", "litert"),
    ),
    Board(
        name="Raspberry Pi 5",
        arch="arm64",
        machine="aarch64",
        emulator="qemu-aarch64-static",
        cpu="cortex-a76",
        part="0xd0b",
        features=f"{_ARM64} aes pmull sha1 sha2 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp",
        runtimes=("tflite", "litert"),
    ),
    Board(
        name="Raspberry Pi 2",
        arch="armhf",
        machine="armv7l",
        emulator="qemu-arm-static",
        cpu="cortex-a7",
        part="0xc07",
        features=_ARMHF,
        runtimes=("tflite",),
        from_debian=True,
        libraries=("usr/lib/arm-linux-gnueabihf/blas", "usr/lib/arm-linux-gnueabihf/lapack"),
    ),
)
"""The Pi 5 multiplies int8 by instructions that the Pi 4 lacks; the Pi 2 has 32 bits."""

ARCHES = tuple(dict.fromkeys(board.arch for board in BOARDS))
