import { assertNever } from '../assert-never.ts';
import type { ContainerReport, PodReport, Unexplained } from '../wait/events.ts';
import type { Target } from '../wait/plan.ts';
import type { TargetState } from '../wait/state.ts';
import { describePermission } from './permission.ts';
import { describeContainer, describeProblem, sentence } from './words.ts';

/** A pod that explains a failure, as lines: how it stands, then each container, then warnings. Not yet cleaned. */
export function podLines(label: string, pod: PodReport): readonly string[] {
  const where = pod.node === undefined ? '' : ` on node ${pod.node}`;
  const said = sentence([pod.reason, pod.message]);
  const name = `pod/${pod.name}`;
  return [
    `${label === name ? '' : `${label}: `}${name}${where}: ${pod.phase}${said === '' ? '' : `, ${said}`}`,
    ...pod.containers.map((container) => `  ${containerLine(container)}`),
    ...pod.warnings.map((warning) => `  warning: ${warning}`),
  ];
}

function containerLine(container: ContainerReport): string {
  return `${describeContainer(container)}${sinceThen(container)}`;
}

function sinceThen({ instance, waitsFor }: ContainerReport): string {
  if (instance === 'current') return '';
  return waitsFor === undefined ? ', then started again' : `, now waits: ${waitsFor}`;
}

/** Why there is no more to show, and what would show more. */
export function unexplainedLine({ target }: TargetState, cause: Unexplained): string {
  return `${target.label}: ${describeUnexplained(target, cause)}`;
}

function describeUnexplained({ namespace }: Target, cause: Unexplained): string {
  switch (cause.why) {
    case 'refused': {
      const [resource, subresource] = cause.resource === 'pods' ? ['pods', undefined] : ['pods', 'log'];
      const need = { apiGroup: '', resource, subresource, resourceName: undefined, namespaced: true, namespace };
      const shown = cause.resource === 'pods' ? 'which pods failed and why' : 'their last log lines';
      return `the permission to ${describePermission(cause.verb, need)} would show ${shown}`;
    }
    case 'gone':
      return describeGone(cause);
    case 'warning':
      return `warning: ${cause.message}`;
    case 'problem':
      return `nothing more could be read: ${describeProblem(cause.problem)}`;
    default:
      return assertNever(cause);
  }
}

function describeGone({ what, by }: Extract<Unexplained, { why: 'gone' }>): string {
  const gone = what === 'pods' ? 'its failed pods are gone, and their logs' : 'the logs are gone with the pod';
  switch (by) {
    case 'restart policy':
      return `${gone}; restartPolicy: Never keeps them`;
    case 'deadline':
      return `${gone}: the Job controller deletes what still runs when activeDeadlineSeconds have passed`;
    case 'others':
      return gone;
    default:
      return assertNever(by);
  }
}
