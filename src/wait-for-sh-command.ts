import { assertNever } from './assert-never.ts';
import type { Environment } from './cli/invocation.ts';
import { parseWaitForSh } from './cli/wait-for-sh.ts';
import { systemClock } from './clock.ts';
import { EXIT } from './exit.ts';
import { clean } from './report/clean.ts';
import { waitForShReporter } from './report/wait-for-sh.ts';
import { type Outside, wait } from './wait-command.ts';

const USAGE = `Waits until a Job, pods or a Service are ready. This is kube-await, called by the name of
k8s-wait-for's script.

usage: wait_for.sh KIND NAME... [OPTION...]
       wait_for.sh KIND -l SELECTOR [OPTION...]

KIND     ready when
job      every Job is Complete; ends with 1 when one has failed
job-we   every Job has ended, well or badly
job-wr   every Job has ended with at least one succeeded pod
pod      every pod is ready, or has ended well; ends with 1 when one has failed
pod-we   every pod is ready or has ended, well or badly
pod-wr   at least one of the pods is ready or has ended well
service  every pod of every Service is ready

options: -n NAMESPACE, -A, and kubectl's for the connection (--context, --kubeconfig, ...)
environment:
  WAIT_TIME              seconds between two lines (2)
  DEBUG                  1: tell each change on standard error; 2: tell more
  TREAT_ERRORS_AS_READY  for kinds without a suffix, 1: as -we, 2: as -wr
  KUBE_AWAIT_TIMEOUT     how long to wait, such as 10m (for ever)
  KUBE_AWAIT_...         the other options of kube-await; see kube-await --help

exit code: 0 when all is ready, else 1`;

/**
 * Waits as k8s-wait-for's script does, called by its name. Gives an exit code of kube-await, of which the caller makes
 * 0 or 1.
 * @throws UsageError
 */
export async function waitForSh(argv: readonly string[], env: Environment, outside: Outside): Promise<number> {
  const { writer } = outside;
  const call = parseWaitForSh(argv, env);
  switch (call.call) {
    case 'usage':
      writer.out(USAGE);
      return EXIT.usage;
    case 'unknown kind':
      writer.err(clean(`ERROR: Unknown resource type: ${call.kind}`));
      return EXIT.usage;
    case 'wait': {
      const { invocation, shown, debug, heartbeatMs } = call;
      const reporter = waitForShReporter(writer, { shown, debug, heartbeatMs, date: () => systemClock.date() });
      return wait(invocation, env, outside, reporter);
    }
    default:
      return assertNever(call);
  }
}
