"""What is read off machine code: the instructions, and the bytes on the way when a thread first waits."""

import shutil

import pytest

from benchmarks import gpu_code

# As cuobjdump prints it: two loads before the first use, then one whose answer is used at once; a store is no load.
SASS = """
		Function : first
	.headerflags	@"EF_CUDA_SM90"
        /*0000*/                   LDC R1, c[0x0][0x28] ;                            /* 0x00000a00ff017b82 */
        /*0010*/              @!P0 LDG.E.128 R4, desc[UR4][R2.64] ;                  /* 0x0000000402049981 */
        /*0020*/              @!P1 LDG.E.128 R8, desc[UR4][R2.64+0x800] ;            /* 0x0008000402089981 */
        /*0030*/                   FADD R0, R4, R5 ;                                 /* 0x0000000504007221 */
        /*0040*/                   LDG.E.U16 R6, desc[UR4][R2.64] ;                  /* 0x0000000402067981 */
        /*0050*/                   FMNMX R0, R6, R0, !PT ;                           /* 0x0000000006007209 */
        /*0060*/                   STG.E.128 desc[UR4][R2.64], R4 ;                  /* 0x0000000402007986 */
        /*0070*/                   EXIT ;                                            /* 0x000000000000794d */
		Function : second
        /*0000*/                   LDG.E R4, desc[UR4][R2.64] ;                      /* 0x0000000402049981 */
        /*0010*/                   BAR.SYNC.DEFER_BLOCKING 0x0 ;                     /* 0x0000000000007b1d */
        /*0020*/                   LDG.E.64 R6, desc[UR4][R2.64] ;                   /* 0x0000000402049981 */
"""


def test_loads_are_on_the_way_until_one_of_them_is_used():
    assert gpu_code.read(SASS) == {"first": (8, 32), "second": (3, 8)}


@pytest.mark.parametrize("program", ["nvcc", "cuobjdump"])
def test_what_is_missing_is_named(program, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else f"/usr/bin/{name}")
    with pytest.raises(SystemExit) as stopped:
        gpu_code.main([])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        f"python -m benchmarks.gpu_code: {program} is needed, and is not on the PATH; CUDA's toolkit has it\n"
    )


@pytest.mark.skipif(not (shutil.which("nvcc") and shutil.which("cuobjdump")), reason="there is no CUDA toolkit")
def test_a_thread_has_all_its_logits_on_the_way():
    lines = gpu_code.compiled("float32", 1024, False, 1, "sm_90")
    assert {name: in_flight for name, *_, in_flight in lines}["float32 1024 softmax"] == "64"
