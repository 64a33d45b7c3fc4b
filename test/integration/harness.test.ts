/** The helper that runs kube-await, tried with other programs. */
import { describe } from 'vitest';
import { test } from '../harness/index.ts';

const script = (text: string) => ({ command: ['/bin/sh', '-c', text, 'sh'], kubeconfig: 'none', namespace: undefined });

describe.concurrent('kubeAwait', () => {
  test('tells code, output and lines', async ({ bare, expect }) => {
    const ended = await bare(['a', 'b'], script('echo out $1 $2; echo err >&2; exit 3')).exit;
    expect(ended).toMatchObject({ code: 3, signal: null, stdout: 'out a b\n', stderr: 'err\n' });
  });

  test('puts the namespace before a command', async ({ kubeAwait, ns, expect }) => {
    const ended = await kubeAwait(['job/x', '--', 'true', '-x'], { command: ['echo'] }).exit;
    expect(ended.stdout).toBe(`job/x -n ${ns} -- true -x\n`);
  });

  test('gives nothing but PATH, HOME and what is asked for', async ({ bare, expect }) => {
    const ended = await bare([], { ...script('env | cut -d= -f1 | sort'), env: { WANTED: '1' } }).exit;
    expect(ended.stdout.split('\n').filter((name) => !['', 'PWD', 'SHLVL', '_', 'OLDPWD'].includes(name))).toEqual([
      'HOME',
      'PATH',
      'WANTED',
    ]);
  });

  test('resolves a line when it comes, and rejects when it cannot come any more', async ({ bare, expect }) => {
    const run = bare([], { ...script('echo first; read answer; echo got $answer >&2'), stdin: 'this\n' });
    expect((await run.line(/first/)).stream).toBe('stdout');
    expect((await run.line(/got this/)).stream).toBe('stderr');
    await expect(run.line(/never/)).rejects.toThrow(/never.*exit 0\nfirst\ngot this/);
  });

  test('sends signals', async ({ bare, expect }) => {
    const run = bare([], script('trap "exit 143" TERM; echo up; while :; do sleep 0.05; done'));
    await run.line(/up/);
    run.kill('SIGTERM');
    expect(await run.exit).toMatchObject({ code: 143 });
  });

  test('says that a program is not there', async ({ bare, expect }) => {
    const ended = await bare([], { command: ['/nonexistent'] }).exit;
    expect(ended).toMatchObject({ code: null, stderr: expect.stringContaining('ENOENT') });
  });
});
