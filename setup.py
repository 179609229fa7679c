"""Builds the kernel, once for each kind of processor, into `glassnet.engines._kernel`. All else is in pyproject.toml.

Where no compiler is at hand the install goes on without it: glassnet then computes with numpy and says so.
"""

import platform
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FLAGS = ["-std=c11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-g0"]
VARIANTS = {"baseline": []}
if platform.machine().lower() in ("x86_64", "amd64"):
    VARIANTS = {
        "avx512": [
            "-mavx512f",
            "-mavx512dq",
            "-mavx512bw",
            "-mavx512vl",
            "-mavx2",
            "-mfma",
            "-mprefer-vector-width=512",
        ],
        "avx2": ["-mavx2", "-mfma", "-mbmi2", "-mpopcnt"],
        "baseline": [],
    }


class BuildVariants(build_ext):
    """Compiles kernel/kernel.c with the flags of each variant, then the door to it, and links them together."""

    def build_extension(self, ext: Extension) -> None:
        ext.extra_objects = [
            obj
            for name, flags in VARIANTS.items()
            for obj in self.compiler.compile(
                ["kernel/kernel.c"],
                output_dir=str(Path(self.build_temp) / name),
                macros=[("GLASSNET_KERNEL", f"glassnet_{name}"), ("GLASSNET_KERNEL_NAME", f'"{name}"')],
                extra_postargs=[*FLAGS, *flags],
                depends=ext.depends,
            )
        ]
        super().build_extension(ext)


setup(
    ext_modules=[
        Extension(
            "glassnet.engines._kernel",
            sources=["src/glassnet/engines/_kernel.c"],
            include_dirs=["kernel"],
            depends=[str(path) for path in sorted(Path("kernel").glob("*.[ch]"))],
            extra_compile_args=["-std=c11", "-fvisibility=hidden", "-g0"],
            py_limited_api=True,
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildVariants},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
