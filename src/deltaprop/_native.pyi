"""The compiled part of deltaprop, built from native/."""

def build_info() -> dict[str, str]:
    """Say how this module was compiled.

    Returns
    -------
    dict
        ``compiler`` (gcc, clang, apple-clang, msvc or unknown), ``compiler_version``,
        ``cxx_standard`` (the value of ``__cplusplus``), ``build_type`` and ``architecture``.
    """

def cpu_features() -> list[str]:
    """List the instruction sets that this processor and operating system offer.

    Returns
    -------
    list of str
        Names in the compiler's spelling, such as ``avx2``; empty where there is no way to ask.
    """
