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

/** What messages call a token that the user gave. */
export const OWN_TOKEN = 'the token of --token or KUBE_AWAIT_TOKEN';

/** process.env, handed in. */
export type Environment = Readonly<Record<string, string | undefined>>;
