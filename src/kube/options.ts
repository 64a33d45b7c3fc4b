/** What the user said about how to reach the API server; the same names and meanings as kubectl's. */
export interface ConnectionOptions {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  server?: string | undefined;
  token?: string | undefined;
  as?: string | undefined;
  asGroups?: readonly string[] | undefined;
  insecureSkipTlsVerify?: boolean | undefined;
  /** For every request but watches. 0 or Infinity: no limit. */
  requestTimeoutMs: number;
}

/** process.env, handed in. */
export type Environment = Readonly<Record<string, string | undefined>>;
