import { assertNever } from '../assert-never.ts';
import type { ContainerReport, PodReport, Unexplained } from '../wait/events.ts';
import { describeContainer, describeProblem, sentence } from './words.ts';

/** A pod that explains a failure, as lines: how it stands, then each container, then warnings. Not yet cleaned. */
export function podLines(label: string, pod: PodReport): readonly string[] {
  const where = pod.node === undefined ? '' : ` on node ${pod.node}`;
  const said = sentence([pod.reason, pod.message]);
  return [
    `${label}: pod/${pod.name}${where}: ${pod.phase}${said === '' ? '' : `, ${said}`}`,
    ...pod.containers.map((container) => `  ${containerLine(container)}`),
    ...pod.warnings.map((warning) => `  warning: ${warning}`),
  ];
}

function containerLine(container: ContainerReport): string {
  return `${describeContainer(container)}${container.instance === 'previous' ? ', then started again' : ''}`;
}

/** Why there is no more to show, and what would show more. */
export function unexplainedLine(label: string, cause: Unexplained): string {
  switch (cause.why) {
    case 'refused':
      return `${label}: the permission to ${cause.verb} ${cause.resource} would show ${cause.resource === 'pods' ? 'which pods failed and why' : 'their last log lines'}`;
    case 'gone':
      return cause.what === 'pods'
        ? `${label}: its failed pods are gone; restartPolicy: Never keeps them, and their logs`
        : `${label}: the logs are gone with the pod; restartPolicy: Never keeps them`;
    case 'problem':
      return `${label}: nothing more could be read: ${describeProblem(cause.problem)}`;
    default:
      return assertNever(cause);
  }
}
