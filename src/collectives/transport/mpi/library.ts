// The functions of libmpi that the transport uses, bound by koffi. Open MPI's handles are addresses of its variables,
// MPICH's (and Intel MPI's, by the ABI that they share) are numbers: either way a handle goes in and out as the type that
// the library's header gives it.
//
// All calls are made by the main thread (MPI_THREAD_FUNNELED). Memory that a request reads or writes stays where it is,
// and is kept from the garbage collector, by whoever holds the `MpiRequest`.

import koffi, { type LibraryHandle } from "koffi";
import { EnvironmentError } from "../../../environment_error.ts";
import type { MpiLibraryName } from "./launcher.ts";

/** A send or receive that is under way. */
export interface MpiRequest {
  /** Whether it has ended; may be asked again. */
  isDone(): boolean;
}

export interface MpiLibrary {
  readonly name: MpiLibraryName;
  /** As the library says, its first line. */
  readonly version: string;
  init(): void;
  finalize(): void;
  /** Ends all processes of the job. */
  abort(code: number): void;
  rank(): number;
  size(): number;
  /** @param bytes stay as they are until the request is done */
  send(bytes: Uint8Array<ArrayBuffer>, to: number, tag: number): MpiRequest;
  /** @param into at least as large as the message */
  receive(into: Uint8Array<ArrayBuffer>, from: number, tag: number): ReceiveRequest;
}

export interface ReceiveRequest extends MpiRequest {
  /** Of the message; once it is done. */
  byteLength(): number;
}

/** The most that one message holds: its length is an int. */
export const maxMessageBytes = 2 ** 31 - 1;

const funneled = 1;
/** More than either library's. */
const statusBytes = 64;

interface Abi {
  readonly name: MpiLibraryName;
  readonly files: readonly string[];
  /** Type of handles. */
  readonly handle: "void *" | "int";
  world(library: LibraryHandle): unknown;
  byte(library: LibraryHandle): unknown;
}

const abis: readonly Abi[] = [
  {
    name: "Open MPI",
    files: ["libmpi.so.40", "libmpi.so.80", "libmpi.so.20"],
    handle: "void *",
    world: (library) => library.symbol("ompi_mpi_comm_world"),
    byte: (library) => library.symbol("ompi_mpi_byte"),
  },
  {
    name: "MPICH",
    files: ["libmpich.so.12", "libmpi.so.12"],
    handle: "int",
    world: () => 0x44000000,
    byte: () => 0x4c00010d,
  },
];

/**
 * UCX, which MPI libraries send with, patches the functions by which a process gets and gives back memory, and takes over
 * its signals. Node, whose threads are at work by then, crashes of it now and then; and messages are right without.
 */
const withoutHooks = {
  UCX_MEM_EVENTS: "n",
  UCX_MEM_MALLOC_HOOKS: "n",
  UCX_MEM_MMAP_HOOK_MODE: "none",
  UCX_ERROR_SIGNALS: "",
  OMPI_MCA_memory: "^patcher",
} as const;

/**
 * @param first is looked for before the others
 * @throws EnvironmentError `missing-feature` where no library is found
 */
export function loadMpi(first: MpiLibraryName): MpiLibrary {
  // Before the libraries are loaded, which look then.
  for (const [name, value] of Object.entries(withoutHooks)) process.env[name] ??= value;
  const ordered = abis.toSorted((a, b) => Number(b.name === first) - Number(a.name === first));
  const failures: string[] = [];
  for (const abi of ordered) {
    for (const file of abi.files) {
      try {
        // Its plugins look for the library's symbols among those of all.
        return bind(koffi.load(file, { global: true }), abi);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  throw new EnvironmentError(
    "missing-feature",
    `no MPI library can be loaded: ${failures.join("; ")}`,
    "install the libraries of the launcher's MPI, such as Debian's libopenmpi3 or libmpich12",
  );
}

function bind(library: LibraryHandle, abi: Abi): MpiLibrary {
  const { handle } = abi;
  const world = abi.world(library);
  const byte = abi.byte(library);
  const call = (declaration: string): ((...parameters: unknown[]) => number) =>
    library.func(`int ${declaration}`);
  const comm = `${handle} comm`;
  const data = `void *data, int count, ${handle} type`;
  const initThread = call(
    "MPI_Init_thread(int *argc, void *argv, int required, _Out_ int *provided)",
  );
  const finalize = call("MPI_Finalize()");
  const abort = call(`MPI_Abort(${comm}, int code)`);
  const commRank = call(`MPI_Comm_rank(${comm}, _Out_ int *rank)`);
  const commSize = call(`MPI_Comm_size(${comm}, _Out_ int *size)`);
  const version = call("MPI_Get_library_version(void *text, _Out_ int *length)");
  const isend = call(`MPI_Isend(${data}, int rank, int tag, ${comm}, void *request)`);
  const irecv = call(`MPI_Irecv(${data}, int rank, int tag, ${comm}, void *request)`);
  const testRequest = call("MPI_Test(void *request, _Out_ int *flag, void *status)");
  const getCount = call(`MPI_Get_count(void *status, ${handle} type, _Out_ int *count)`);

  const numberFrom = (ask: (out: [number]) => number, what: string): number => {
    const out: [number] = [0];
    succeed(ask(out), what);
    return out[0];
  };
  const begin = (
    post: (request: Uint8Array) => number,
    what: string,
    held: Uint8Array,
  ): ReceiveRequest => {
    const request = memory(8);
    const status = memory(statusBytes);
    succeed(post(request), what);
    let isOver = false;
    return {
      isDone() {
        // The bytes live as long as the request is asked.
        isOver ||=
          held.byteLength >= 0 &&
          numberFrom((flag) => testRequest(request, flag, status), "MPI_Test") !== 0;
        return isOver;
      },
      byteLength: () => numberFrom((count) => getCount(status, byte, count), "MPI_Get_count"),
    };
  };
  return {
    name: abi.name,
    version: versionFrom((text, length) => version(text, length)),
    init() {
      numberFrom((provided) => initThread(null, null, funneled, provided), "MPI_Init_thread");
    },
    finalize: () => succeed(finalize(), "MPI_Finalize"),
    abort: (code) => void abort(world, code),
    rank: () => numberFrom((rank) => commRank(world, rank), "MPI_Comm_rank"),
    size: () => numberFrom((size) => commSize(world, size), "MPI_Comm_size"),
    send: (bytes, to, tag) =>
      begin(
        (request) => isend(bytes, bytes.length, byte, to, tag, world, request),
        "MPI_Isend",
        bytes,
      ),
    receive: (into, from, tag) =>
      begin(
        (request) => irecv(into, into.length, byte, from, tag, world, request),
        "MPI_Irecv",
        into,
      ),
  };
}

function versionFrom(ask: (text: Uint8Array, length: [number]) => number): string {
  const text = memory(8192);
  const length: [number] = [0];
  succeed(ask(text, length), "MPI_Get_library_version");
  const [line = ""] = new TextDecoder().decode(text.subarray(0, length[0])).split(/[\n,]/);
  return line.replace(/^MPICH Version:\s*/, "MPICH ").trim();
}

/** By default errors end the job; a library may be told to return them. */
function succeed(code: number, what: string): void {
  if (code !== 0) throw new Error(`${what} returned ${code}`);
}

/** Memory that does not move: a small array of its own would lie within the heap. */
export function memory(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(Math.max(bytes, 1)), 0, bytes);
}
