// GPUs by name, with the figures of their makers' datasheets. What a datasheet does not say, or says
// differently in two places, is left out.

export interface Gpu {
  /** Words with hyphens between them; a plan may write them otherwise. */
  readonly name: string;
  /** Words that may stand in the name too: sizes, sockets, what drivers report. */
  readonly also?: readonly string[];
  /**
   * Peaks without sparsity. f32: of plain f32 arithmetic, by vector or matrix units; tf32, f16 and fp8: of
   * matrix units that accumulate in f32, where the GPU has them.
   */
  readonly teraflops?: {
    readonly f32?: number;
    readonly tf32?: number;
    readonly f16?: number;
    readonly fp8?: number;
  };
  /** GB as printed (1e9 B). Absent where the memory is the machine's. */
  readonly memoryGB?: number;
  /** Of the memory, 1e9 B/s; of shared memory with the fastest that is supported. */
  readonly memoryGBs?: number;
  readonly link?: GpuLink;
  readonly datasheet: string;
}

/** The fastest way to another GPU. */
export interface GpuLink {
  readonly name: string;
  /**
   * 1e9 B/s in one direction, all links of the GPU together: half of what datasheets print as total or
   * bidirectional.
   */
  readonly perDirectionGBs: number;
}

function link(name: string, perDirectionGBs: number): GpuLink {
  return { name, perDirectionGBs };
}
function nvlink(perDirectionGBs: number): GpuLink {
  return link("NVLink", perDirectionGBs);
}
function bridge(perDirectionGBs: number): GpuLink {
  return link("NVLink bridge", perDirectionGBs);
}
function infinityFabric(perDirectionGBs: number): GpuLink {
  return link("Infinity Fabric", perDirectionGBs);
}
const pcie3 = link("PCIe 3.0 x16", 16);
const pcie4 = link("PCIe 4.0 x16", 32);
const pcie5 = link("PCIe 5.0 x16", 64);

const pascal = "NVIDIA Tesla P100 datasheet";
const volta = "NVIDIA V100 datasheet";
const ampere = "NVIDIA A100 datasheet";
const hopper = "NVIDIA H100 architecture white paper";
const hopperDatasheet = "NVIDIA H100 datasheet";
const hopperLater = "NVIDIA H200 datasheet";
const graceHopper = "NVIDIA GH200 datasheet";
const blackwell = "NVIDIA Blackwell datasheet";
const dgxBlackwell = "NVIDIA Blackwell and DGX B200 datasheets";
const blackwellBrief = "NVIDIA Blackwell architecture technical brief";
const ga102 = "NVIDIA GA102 architecture white paper";
const ada = "NVIDIA Ada architecture white paper";
const turing = "NVIDIA Turing architecture white paper";
const rtxBlackwell = "NVIDIA RTX Blackwell architecture white paper";
const forChina = "NVIDIA specifications as system vendors print them";
const laptops = "NVIDIA GeForce laptop specifications (compute depends on the power limit)";
const cdna2 = "AMD Instinct MI200 data sheets";
const cdna3 = "AMD Instinct MI300 data sheets";
const cdna4 = "AMD Instinct MI350 data sheets";
const apple = "Apple press release";

const h100Sxm = { f32: 66.9, tf32: 494.7, f16: 989.4, fp8: 1978.9 };
const h100Pcie = { f32: 51.2, tf32: 378, f16: 756, fp8: 1513 };
const h100Nvl = { f32: 60, tf32: 417.5, f16: 835.5, fp8: 1670.5 };
const a100 = { f32: 19.5, tf32: 156, f16: 312 };
const mi300x = { f32: 163.4, tf32: 653.7, f16: 1307.4, fp8: 2614.9 };

// Rows of a table: one GPU a line.
// prettier-ignore
const nvidiaDataCentre: readonly Gpu[] = [
  { name: "P40", also: ["24gb", "pcie"], teraflops: { f32: 12 }, memoryGB: 24, memoryGBs: 346, link: pcie3, datasheet: "NVIDIA Tesla P40 datasheet" },
  { name: "P100-SXM", also: ["16gb"], teraflops: { f32: 10.6, f16: 21.2 }, memoryGB: 16, memoryGBs: 732, link: nvlink(80), datasheet: pascal },
  { name: "P100-PCIe-16GB", teraflops: { f32: 9.3, f16: 18.7 }, memoryGB: 16, memoryGBs: 732, link: pcie3, datasheet: pascal },
  { name: "P100-PCIe-12GB", teraflops: { f32: 9.3, f16: 18.7 }, memoryGB: 12, memoryGBs: 549, link: pcie3, datasheet: pascal },
  { name: "V100-SXM-16GB", teraflops: { f32: 15.7, f16: 125 }, memoryGB: 16, memoryGBs: 900, link: nvlink(150), datasheet: volta },
  { name: "V100-SXM-32GB", teraflops: { f32: 15.7, f16: 125 }, memoryGB: 32, memoryGBs: 900, link: nvlink(150), datasheet: volta },
  { name: "V100-PCIe-16GB", teraflops: { f32: 14, f16: 112 }, memoryGB: 16, memoryGBs: 900, link: pcie3, datasheet: volta },
  { name: "V100-PCIe-32GB", teraflops: { f32: 14, f16: 112 }, memoryGB: 32, memoryGBs: 900, link: pcie3, datasheet: volta },
  { name: "V100S", also: ["pcie", "32gb"], teraflops: { f32: 16.4, f16: 130 }, memoryGB: 32, memoryGBs: 1134, link: pcie3, datasheet: volta },
  { name: "T4", also: ["16gb"], teraflops: { f32: 8.1, f16: 65 }, memoryGB: 16, memoryGBs: 320, link: pcie3, datasheet: "NVIDIA T4 product brief" },
  { name: "A2", also: ["16gb"], teraflops: { f32: 4.5, tf32: 9, f16: 18 }, memoryGB: 16, memoryGBs: 200, link: link("PCIe 4.0 x8", 16), datasheet: "NVIDIA A2 datasheet" },
  { name: "A10", also: ["pcie", "24gb"], teraflops: { f32: 31.2, tf32: 62.5, f16: 125 }, memoryGB: 24, memoryGBs: 600, link: pcie4, datasheet: "NVIDIA A10 datasheet" },
  { name: "A10G", also: ["24gb"], teraflops: { tf32: 35, f16: 70 }, memoryGB: 24, memoryGBs: 600, link: pcie4, datasheet: "NVIDIA A10G datasheet" },
  { name: "A30", also: ["pcie", "24gb"], teraflops: { f32: 10.3, tf32: 82, f16: 165 }, memoryGB: 24, memoryGBs: 933, link: bridge(100), datasheet: "NVIDIA A30 datasheet" },
  { name: "A40", also: ["pcie", "48gb"], teraflops: { f32: 37.4, tf32: 74.8, f16: 149.7 }, memoryGB: 48, memoryGBs: 696, link: bridge(56.25), datasheet: "NVIDIA A40 datasheet" },
  { name: "A100-SXM-40GB", teraflops: a100, memoryGB: 40, memoryGBs: 1555, link: nvlink(300), datasheet: ampere },
  { name: "A100-SXM-80GB", teraflops: a100, memoryGB: 80, memoryGBs: 2039, link: nvlink(300), datasheet: ampere },
  { name: "A100-PCIe-40GB", teraflops: a100, memoryGB: 40, memoryGBs: 1555, link: bridge(300), datasheet: ampere },
  { name: "A100-PCIe-80GB", teraflops: a100, memoryGB: 80, memoryGBs: 1935, link: bridge(300), datasheet: ampere },
  { name: "A800-SXM", also: ["80gb"], teraflops: a100, memoryGB: 80, memoryGBs: 2039, link: nvlink(200), datasheet: forChina },
  { name: "A800-PCIe", also: ["80gb"], teraflops: a100, memoryGB: 80, memoryGBs: 1935, link: bridge(200), datasheet: forChina },
  { name: "L4", also: ["24gb"], teraflops: { f32: 30.3, tf32: 60, f16: 121, fp8: 242.5 }, memoryGB: 24, memoryGBs: 300, link: pcie4, datasheet: "NVIDIA L4 datasheet" },
  { name: "L40", also: ["48gb"], teraflops: { f32: 90.5, tf32: 90.5, f16: 181, fp8: 362 }, memoryGB: 48, memoryGBs: 864, link: pcie4, datasheet: "NVIDIA L40 datasheet" },
  { name: "L40S", also: ["48gb"], teraflops: { f32: 91.6, tf32: 183, f16: 362, fp8: 733 }, memoryGB: 48, memoryGBs: 864, link: pcie4, datasheet: "NVIDIA L40S datasheet" },
  { name: "H20", also: ["sxm", "96gb"], teraflops: { f32: 44, tf32: 74, f16: 148, fp8: 296 }, memoryGB: 96, memoryGBs: 4000, link: nvlink(450), datasheet: forChina },
  { name: "H100-SXM", also: ["80gb", "hbm3"], teraflops: h100Sxm, memoryGB: 80, memoryGBs: 3350, link: nvlink(450), datasheet: hopper },
  { name: "H100-PCIe", also: ["80gb", "hbm2e"], teraflops: h100Pcie, memoryGB: 80, memoryGBs: 2000, link: bridge(300), datasheet: hopper },
  { name: "H100-NVL", also: ["94gb"], teraflops: h100Nvl, memoryGB: 94, memoryGBs: 3900, link: bridge(300), datasheet: hopperDatasheet },
  { name: "H800-SXM", also: ["80gb"], teraflops: h100Sxm, memoryGB: 80, memoryGBs: 3350, link: nvlink(200), datasheet: forChina },
  { name: "H800-PCIe", also: ["80gb"], teraflops: h100Pcie, memoryGB: 80, memoryGBs: 2000, link: bridge(200), datasheet: forChina },
  { name: "H200", also: ["sxm", "141gb", "hbm3e"], teraflops: h100Sxm, memoryGB: 141, memoryGBs: 4800, link: nvlink(450), datasheet: hopperLater },
  { name: "H200-NVL", also: ["141gb"], teraflops: h100Nvl, memoryGB: 141, memoryGBs: 4800, link: bridge(450), datasheet: hopperLater },
  { name: "GH200-96GB", also: ["480gb"], teraflops: { f32: 67, tf32: 494, f16: 990, fp8: 1979 }, memoryGB: 96, memoryGBs: 4000, link: nvlink(450), datasheet: graceHopper },
  { name: "GH200-144GB", also: ["hbm3e"], teraflops: { f32: 67, tf32: 494, f16: 990, fp8: 1979 }, memoryGB: 144, memoryGBs: 4900, link: nvlink(450), datasheet: graceHopper },
  { name: "B100", also: ["sxm", "192gb"], teraflops: { f32: 60, f16: 1750, fp8: 3500 }, memoryGB: 192, memoryGBs: 8000, link: nvlink(900), datasheet: blackwellBrief },
  { name: "B200", also: ["sxm", "hgx", "dgx", "180gb"], teraflops: { f32: 75, tf32: 1100, f16: 2250, fp8: 4500 }, memoryGB: 180, memoryGBs: 8000, link: nvlink(900), datasheet: dgxBlackwell },
  { name: "B300", also: ["sxm", "hgx", "dgx"], teraflops: { f32: 75, tf32: 1125, f16: 2250, fp8: 4500 }, memoryGBs: 8000, link: nvlink(900), datasheet: "NVIDIA HGX B300 specifications" },
  { name: "GB200", also: ["nvl72", "186gb"], teraflops: { f32: 80, tf32: 1250, f16: 2500, fp8: 5000 }, memoryGB: 186, memoryGBs: 8000, link: nvlink(900), datasheet: blackwell },
  { name: "GB300", also: ["nvl72"], teraflops: { f16: 2500, fp8: 5000 }, memoryGBs: 8000, link: nvlink(900), datasheet: "NVIDIA GB300 NVL72 specifications" },
];

// prettier-ignore
const nvidiaWorkstation: readonly Gpu[] = [
  { name: "Quadro-RTX-6000", also: ["24gb"], teraflops: { f32: 16.3, f16: 130.5 }, memoryGB: 24, memoryGBs: 672, link: bridge(50), datasheet: turing },
  { name: "Quadro-RTX-8000", also: ["48gb"], teraflops: { f32: 16.3, f16: 130.5 }, memoryGB: 48, memoryGBs: 672, link: bridge(50), datasheet: turing },
  { name: "RTX-A6000", also: ["48gb"], teraflops: { f32: 38.7, tf32: 77.4, f16: 154.8 }, memoryGB: 48, memoryGBs: 768, link: bridge(56.25), datasheet: ga102 },
  { name: "RTX-6000-Ada", also: ["48gb"], teraflops: { f32: 91.1, tf32: 182.1, f16: 364.2, fp8: 728.5 }, memoryGB: 48, memoryGBs: 960, link: pcie4, datasheet: ada },
  { name: "RTX-PRO-6000-Blackwell", also: ["96gb", "workstation"], teraflops: { f32: 126, tf32: 251.9, f16: 503.8, fp8: 1007.6 }, memoryGB: 96, memoryGBs: 1792, link: pcie5, datasheet: "NVIDIA RTX Blackwell PRO architecture white paper" },
  { name: "GB10", also: ["dgx", "spark"], memoryGB: 128, memoryGBs: 273, datasheet: "NVIDIA DGX Spark specifications" },
];

// prettier-ignore
const geForce: readonly Gpu[] = [
  { name: "RTX-2080-Ti", also: ["11gb"], teraflops: { f32: 14.2, f16: 56.9 }, memoryGB: 11, memoryGBs: 616, link: bridge(50), datasheet: turing },
  { name: "RTX-3080", also: ["10gb"], teraflops: { f32: 29.8, tf32: 29.8, f16: 59.5 }, memoryGB: 10, memoryGBs: 760, link: pcie4, datasheet: ga102 },
  { name: "RTX-3090", also: ["24gb"], teraflops: { f32: 35.6, tf32: 35.6, f16: 71 }, memoryGB: 24, memoryGBs: 936, link: bridge(56.25), datasheet: ga102 },
  { name: "RTX-3090-Ti", also: ["24gb"], teraflops: { f32: 40, tf32: 40, f16: 80 }, memoryGB: 24, memoryGBs: 1008, link: bridge(56.25), datasheet: ada },
  { name: "RTX-4080", also: ["16gb"], teraflops: { f32: 48.7, tf32: 48.7, f16: 97.5, fp8: 194.9 }, memoryGB: 16, memoryGBs: 717, link: pcie4, datasheet: ada },
  { name: "RTX-4090", also: ["24gb"], teraflops: { f32: 82.6, tf32: 82.6, f16: 165.2, fp8: 330.3 }, memoryGB: 24, memoryGBs: 1008, link: pcie4, datasheet: ada },
  { name: "RTX-5080", also: ["16gb"], teraflops: { f32: 56.3, tf32: 56.3, f16: 112.6, fp8: 225.1 }, memoryGB: 16, memoryGBs: 960, link: pcie5, datasheet: rtxBlackwell },
  { name: "RTX-5090", also: ["32gb"], teraflops: { f32: 104.8, tf32: 104.8, f16: 209.5, fp8: 419 }, memoryGB: 32, memoryGBs: 1792, link: pcie5, datasheet: rtxBlackwell },
  { name: "RTX-4070-Laptop", also: ["8gb"], memoryGB: 8, memoryGBs: 256, datasheet: laptops },
  { name: "RTX-4080-Laptop", also: ["12gb"], memoryGB: 12, memoryGBs: 432, datasheet: laptops },
  { name: "RTX-4090-Laptop", also: ["16gb"], memoryGB: 16, memoryGBs: 576, datasheet: laptops },
  { name: "RTX-5090-Laptop", also: ["24gb"], memoryGB: 24, memoryGBs: 896, datasheet: laptops },
];

// prettier-ignore
const amd: readonly Gpu[] = [
  { name: "MI100", also: ["32gb"], teraflops: { f32: 46.1, f16: 184.6 }, memoryGB: 32, memoryGBs: 1228.8, link: infinityFabric(138), datasheet: "AMD Instinct MI100 brochure" },
  { name: "MI210", also: ["64gb"], teraflops: { f32: 45.3, f16: 181 }, memoryGB: 64, memoryGBs: 1638.4, link: infinityFabric(150), datasheet: cdna2 },
  { name: "MI250", also: ["128gb"], teraflops: { f32: 90.5, f16: 362.1 }, memoryGB: 128, memoryGBs: 3276.8, datasheet: `${cdna2} (module of two dies)` },
  { name: "MI250X", also: ["128gb"], teraflops: { f32: 95.7, f16: 383 }, memoryGB: 128, memoryGBs: 3276.8, link: infinityFabric(400), datasheet: `${cdna2} (module of two dies)` },
  { name: "MI300A", also: ["128gb"], teraflops: { f32: 122.6, tf32: 490.3, f16: 980.6, fp8: 1961.2 }, memoryGB: 128, memoryGBs: 5300, datasheet: cdna3 },
  { name: "MI300X", also: ["192gb", "oam"], teraflops: mi300x, memoryGB: 192, memoryGBs: 5300, link: infinityFabric(448), datasheet: cdna3 },
  { name: "MI325X", also: ["256gb", "oam"], teraflops: mi300x, memoryGB: 256, memoryGBs: 6000, link: infinityFabric(448), datasheet: cdna3 },
  { name: "MI350X", also: ["288gb"], teraflops: { f32: 144.2, f16: 2307, fp8: 4614 }, memoryGB: 288, memoryGBs: 8000, link: infinityFabric(537.6), datasheet: cdna4 },
  { name: "MI355X", also: ["288gb"], teraflops: { f32: 157.3, f16: 2516.6, fp8: 5033.2 }, memoryGB: 288, memoryGBs: 8000, link: infinityFabric(537.6), datasheet: cdna4 },
  { name: "Radeon-Pro-W7900", also: ["48gb"], teraflops: { f32: 61.3, f16: 122.6 }, memoryGB: 48, memoryGBs: 864, link: pcie4, datasheet: "AMD Radeon PRO W7900 specifications" },
  { name: "RX-7900-XT", also: ["20gb"], teraflops: { f32: 51.5, f16: 103 }, memoryGB: 20, memoryGBs: 800, link: pcie4, datasheet: "AMD Radeon RX 7900 XT specifications" },
  { name: "RX-7900-XTX", also: ["24gb"], teraflops: { f32: 61.4, f16: 122.8 }, memoryGB: 24, memoryGBs: 960, link: pcie4, datasheet: "AMD Radeon RX 7900 XTX specifications" },
];

// prettier-ignore
const others: readonly Gpu[] = [
  { name: "Gaudi2", also: ["96gb"], teraflops: { f16: 432, fp8: 865 }, memoryGB: 96, memoryGBs: 2460, link: link("24 × 100 Gb Ethernet", 300), datasheet: "Intel Gaudi 2 white paper" },
  { name: "Gaudi3", also: ["128gb"], teraflops: { f16: 1835, fp8: 1835 }, memoryGB: 128, memoryGBs: 3700, link: link("24 × 200 Gb Ethernet", 600), datasheet: "Intel Gaudi 3 white paper" },
  { name: "Arc-A770", also: ["16gb"], memoryGB: 16, memoryGBs: 560, link: pcie4, datasheet: "Intel Arc A770 specifications" },
  { name: "Arc-B580", also: ["12gb"], memoryGB: 12, memoryGBs: 456, link: link("PCIe 4.0 x8", 16), datasheet: "Intel Arc B580 specifications" },
];

/** Their memory is the machine's, and shared with its processor. */
// prettier-ignore
const integrated: readonly Gpu[] = [
  { name: "M1", teraflops: { f32: 2.6 }, memoryGBs: 68.25, datasheet: `${apple}, November 2020` },
  { name: "M1-Pro", teraflops: { f32: 5.2 }, memoryGBs: 200, datasheet: `${apple}, October 2021` },
  { name: "M1-Max", teraflops: { f32: 10.4 }, memoryGBs: 400, datasheet: `${apple}, October 2021` },
  { name: "M1-Ultra", memoryGBs: 800, datasheet: `${apple}, March 2022` },
  { name: "M2", teraflops: { f32: 3.6 }, memoryGBs: 100, datasheet: `${apple}, June 2022` },
  { name: "M2-Pro", memoryGBs: 200, datasheet: `${apple}, January 2023` },
  { name: "M2-Max", memoryGBs: 400, datasheet: `${apple}, January 2023` },
  { name: "M2-Ultra", memoryGBs: 800, datasheet: `${apple}, June 2023` },
  { name: "M3", memoryGBs: 100, datasheet: `${apple}, October 2023` },
  { name: "M3-Pro", memoryGBs: 150, datasheet: `${apple}, October 2023` },
  { name: "M3-Max", memoryGBs: 400, datasheet: `${apple}, October 2023` },
  { name: "M3-Ultra", memoryGBs: 819, datasheet: `${apple}, March 2025` },
  { name: "M4", memoryGBs: 120, datasheet: `${apple}, May 2024` },
  { name: "M4-Pro", memoryGBs: 273, datasheet: `${apple}, October 2024` },
  { name: "M4-Max", memoryGBs: 546, datasheet: `${apple}, October 2024` },
  { name: "Radeon-780M", memoryGBs: 120, datasheet: "AMD Ryzen 7 8840U specifications (LPDDR5x-7500, 128 bits)" },
  { name: "Radeon-890M", memoryGBs: 128, datasheet: "AMD Ryzen AI 9 HX 370 specifications (LPDDR5x-8000, 128 bits)" },
  { name: "Radeon-8060S", memoryGBs: 256, datasheet: "AMD Ryzen AI Max+ 395 specifications (LPDDR5x-8000, 256 bits)" },
  { name: "Iris-Xe", memoryGBs: 102.4, datasheet: "Intel Core i7-1360P specifications (LPDDR5x-6400, 128 bits)" },
  { name: "Snapdragon-X-Elite", teraflops: { f32: 4.6 }, memoryGBs: 136, datasheet: "Qualcomm Snapdragon X Elite product brief" },
  { name: "Snapdragon-X-Plus", memoryGBs: 136, datasheet: "Qualcomm Snapdragon X Plus product brief" },
];

export const gpus: readonly Gpu[] = [
  ...nvidiaDataCentre,
  ...nvidiaWorkstation,
  ...geForce,
  ...amd,
  ...others,
  ...integrated,
];
