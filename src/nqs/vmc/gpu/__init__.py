"""Variational Monte Carlo of many models at once in PyTorch, for GPUs.

None of it has run on a GPU yet: the tests run it on the CPU, the Triton kernels in Triton's interpreter where asked to,
and `tests/vmc/gpu/test_cuda.py` waits for a GPU. A run's state, trace, ends and steps are those of `nqs.vmc.loop`.
"""
