/** The exit codes, as the README lists them. Scripts rely on them. */
export const EXIT = {
  /** Every target was reached. */
  reached: 0,
  /** A target failed, was missing or deleted under `fail`, or was stuck. */
  failed: 1,
  /** A usage or configuration error: no target was asked for yet, or the API server serves no such kind. */
  usage: 2,
  /** 401, 403, or a certificate that cannot be trusted. */
  refused: 3,
  /** A bug of kube-await itself (EX_SOFTWARE of sysexits.h). */
  internal: 70,
  /** COMMAND is there but cannot be executed, as in a shell. */
  notExecutable: 126,
  /** COMMAND is not there, as in a shell. */
  notFound: 127,
  /** The timeout passed, as with timeout(1). */
  timeout: 124,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;
