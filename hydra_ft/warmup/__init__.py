"""Kernels compiled before they are needed, and kept: where that is, and how it comes there.

``keep_compiled(user_data)`` points numba to a folder of kernels that are whole and fit this
version and this CPU; where there is none it compiles one, so that no call of a strategy does.
"""

from hydra_ft.warmup.keeping import Kept, fill_first, keep_compiled, warm_folder

__all__ = ["Kept", "fill_first", "keep_compiled", "warm_folder"]
