// The GPU vendor's matrix product, called as it is by those who have it: f16 in and out, sums in f32.
// CUDA's driver API, which every driver brings, and cuBLAS where the machine has it.

import koffi, { type LibraryHandle } from "koffi";
import { candidatesOf } from "./find_libraries.ts";

/** Of `CUDA_R_16F`, `CUBLAS_COMPUTE_32F` and `CUBLAS_GEMM_DEFAULT`. */
const [half, sumsInFloat, anyAlgorithm] = [2, 68, -1];

export interface VendorLibrary {
  readonly name: string;
  /** Bytes on the GPU; they live as long as the process. */
  allocate(bytes: number): bigint;
  write(target: bigint, bytes: Uint8Array): void;
  read(bytes: Uint8Array, source: bigint): void;
  /** y[size, size] = x · w, row-major halves. */
  multiply(size: number, x: bigint, w: bigint, y: bigint): void;
  /** ms on the GPU's clock from the first of some work to its end. */
  time(work: () => void): number;
}

/** Throws with the reason where the machine has none. */
export function openVendorLibrary(): VendorLibrary {
  const driver = load("libcuda", [1]);
  const bind = (definition: string) => {
    const call: (...values: unknown[]) => number = driver.library.func(definition);
    return (...values: unknown[]): void => {
      const code = call(...values);
      if (code !== 0) throw new Error(`${definition}: error ${code}`);
    };
  };
  bind("int cuInit(uint flags)")(0);
  const context = [0n];
  bind("int cuDevicePrimaryCtxRetain(_Out_ uint64_t *context, int device)")(context, 0);
  bind("int cuCtxSetCurrent(uint64_t context)")(context[0]);

  // The one needs the other, and may lie where the loader does not look.
  load("libcublasLt", versions);
  const { library, path } = load("libcublas", versions);
  const check = (what: string, status: number): void => {
    if (status !== 0) throw new Error(`${what}: status ${status}`);
  };
  const handle = [0n];
  check(
    "cublasCreate",
    library.func("int cublasCreate_v2(_Out_ uint64_t *handle)")(handle) as number,
  );
  const version = [0];
  check(
    "cublasGetVersion",
    library.func("int cublasGetVersion_v2(uint64_t handle, _Out_ int *version)")(
      handle[0],
      version,
    ) as number,
  );
  const product: (...values: unknown[]) => number = library.func(
    "int cublasGemmEx(uint64_t handle, int transposeA, int transposeB, int m, int n, int k, " +
      "float *alpha, uint64_t a, int typeA, int strideA, uint64_t b, int typeB, int strideB, " +
      "float *beta, uint64_t c, int typeC, int strideC, int computeType, int algorithm)",
  );

  const createEvent = bind("int cuEventCreate(_Out_ uint64_t *event, uint flags)");
  const record = bind("int cuEventRecord(uint64_t event, uint64_t stream)");
  const wait = bind("int cuEventSynchronize(uint64_t event)");
  const elapsed = bind("int cuEventElapsedTime(_Out_ float *ms, uint64_t begin, uint64_t end)");
  const allocateMemory = bind("int cuMemAlloc_v2(_Out_ uint64_t *address, size_t bytes)");
  const toDevice = bind("int cuMemcpyHtoD_v2(uint64_t target, void *source, size_t bytes)");
  const fromDevice = bind("int cuMemcpyDtoH_v2(void *target, uint64_t source, size_t bytes)");
  const [begin, end] = [[0n], [0n]];
  createEvent(begin, 0);
  createEvent(end, 0);
  return {
    name: `cuBLAS ${version[0]} (${path})`,
    allocate(bytes) {
      const address = [0n];
      allocateMemory(address, bytes);
      return BigInt(address[0] ?? 0);
    },
    write: (target, bytes) => toDevice(target, bytes, bytes.byteLength),
    read: (bytes, source) => fromDevice(bytes, source, bytes.byteLength),
    multiply(n, x, w, y) {
      // It counts by columns: what it takes for yᵀ = wᵀ · xᵀ is y = x · w in rows.
      const [alpha, beta] = [new Float32Array([1]), new Float32Array([0])];
      const operands = [alpha, w, half, n, x, half, n, beta, y, half, n];
      const status = product(handle[0], 0, 0, n, n, n, ...operands, sumsInFloat, anyAlgorithm);
      check("cublasGemmEx", status);
    },
    time(work) {
      record(begin[0], 0);
      work();
      record(end[0], 0);
      wait(end[0]);
      const ms = [0];
      elapsed(ms, begin[0], end[0]);
      return ms[0] ?? Number.NaN;
    },
  };
}

const versions = [13, 12, 11];

function load(
  name: string,
  numbers: readonly number[],
): { readonly library: LibraryHandle; readonly path: string } {
  const refusals: string[] = [];
  for (const path of candidatesOf(name, numbers)) {
    try {
      return { library: koffi.load(path, { global: true }), path };
    } catch (thrown) {
      refusals.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  throw new Error(`no ${name} on this machine: ${refusals.at(-1)}`);
}
