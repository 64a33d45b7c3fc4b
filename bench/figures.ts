/** What a case has found. */
export interface Findings {
  /** What was measured, for the upper table. */
  readonly rows: readonly Row[];
  /** What is held to a bar, for the lower one. */
  readonly figures: readonly Figure[];
  /** What could not be measured and why, and what a reader has to know. */
  readonly remarks: readonly string[];
}

/** One program in one case. */
export interface Row {
  readonly case: string;
  readonly program: string;
  /** Medians, by unit and meaning. */
  readonly values: Readonly<Partial<Record<Column, number>>>;
  /** Of how many runs. */
  readonly runs: number;
}

export type Column = 'wallMs' | 'cpuMs' | 'peakMiB' | 'anonMiB' | 'requests' | 'kB' | 'lateMs';

/** A value that has a bar. */
export interface Figure {
  readonly bar: BarName;
  readonly value: number;
}

interface Bar {
  readonly what: string;
  readonly most: number;
  readonly unit: '' | 'ms' | 's' | 'MiB' | 'KiB' | '%';
}

/** What a run is held to. Ratios have no unit. */
export const BARS = {
  jobKubectl: { what: 'done Job: wall against kubectl wait', most: 0.45, unit: '' },
  jobScript: { what: 'done Job: wall against k8s-wait-for', most: 1.0, unit: '' },
  jobFloorWall: { what: 'done Job, in-cluster: wall against bare Node', most: 1.15, unit: '' },
  jobFloorPeak: { what: 'done Job, in-cluster: peak against bare Node', most: 1.15, unit: '' },
  jobKubeconfigWall: { what: 'done Job, kubeconfig: wall against bare Node', most: 1.3, unit: '' },
  jobKubeconfigPeak: { what: 'done Job, kubeconfig: peak against bare Node', most: 1.3, unit: '' },
  event: { what: 'deciding event to exit', most: 10, unit: 'ms' },
  eventKubectl: { what: 'the same, later than kubectl wait by', most: 3, unit: 'ms' },
  waitRequests: { what: 'API requests of the long wait', most: 6, unit: '' },
  waitCpu: { what: 'CPU in a waiting minute', most: 0.05, unit: '%' },
  pods200: { what: '200 done pods: wall against kubectl wait', most: 0.01, unit: '' },
  pods10000: { what: '10,000 done pods: wall against kubectl get -o name', most: 1.0, unit: '' },
  pods10000Peak: { what: '10,000 done pods: peak', most: 130, unit: 'MiB' },
  crowd: { what: '300 waiters: last exit after the event', most: 2, unit: 's' },
  loaded: { what: 'loaded by an in-cluster wait', most: 150, unit: 'KiB' },
  chunks: { what: 'all chunks', most: 500, unit: 'KiB' },
} as const satisfies Record<string, Bar>;

export type BarName = keyof typeof BARS;

export function isMet({ bar, value }: Figure): boolean {
  // NaN meets nothing.
  return value <= BARS[bar].most;
}
