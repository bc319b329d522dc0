/** CUDA 12 on Linux. scripts/install-gpu.sh and docs/gpu.md say the same; a test compares them. */
export const OLDEST_CUDA12_DRIVER = '525.60.13';

/** From this one on cuDNN has no kernels for Maxwell, Pascal and Volta. */
export const LAST_PASCAL_CUDNN_BEFORE = '9.11';
