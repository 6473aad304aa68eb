"""Has the kernel end this process when one of its threads opens a socket, in Python or in native code."""

from __future__ import annotations

import ctypes
import os
import platform
import resource

# From Linux's headers: prctl.h, seccomp.h, bpf_common.h, and the number of the system call `socket`.
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_LOAD, _SKIP_IF_EQUAL, _ANSWER = 0x20, 0x15, 0x06
_END_THE_PROCESS, _ALLOW = 0x8000_0000, 0x7FFF_0000
_SOCKET = {"x86_64": 41, "aarch64": 198}


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def seal() -> None:
    """From now on, opening a socket ends this process by SIGSYS. This needs no privileges and cannot be undone."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    instructions = (_Instruction * 4)(
        _Instruction(_LOAD, 0, 0, 0),  # the number of the system call
        _Instruction(_SKIP_IF_EQUAL, 0, 1, _SOCKET[platform.machine()]),
        _Instruction(_ANSWER, 0, 0, _END_THE_PROCESS),
        _Instruction(_ANSWER, 0, 0, _ALLOW),
    )
    _prctl(_NO_NEW_PRIVILEGES, 1, 0)
    _prctl(_SECCOMP, _FILTER, ctypes.byref(_Program(len(instructions), instructions)))


def _prctl(*arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    option, value, pointer = arguments
    if libc.prctl(option, ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
