/**
 * Lays V8's compiled code beside the files of a built program: `node scripts/compile-cache.cjs FOLDER`. Run it with the
 * Node that is to use it, since any other ignores it. What is compiled is what a wait runs, so here the program waits
 * once as in a pod and once with a kubeconfig, for a server of this process; a file that no wait loads gets nothing.
 */
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { tmpdir } = require('node:os');
const path = require('node:path');
const vm = require('node:vm');

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/';
const FILES = { token: 'token', 'ca.crt': 'certificate', namespace: 'default' };

const [folder = 'dist', way] = process.argv.slice(2);
const program = path.resolve(folder, 'kube-await.cjs');
if (way === undefined) {
  // One process has one way to a cluster.
  for (const each of ['in-cluster', 'kubeconfig']) {
    const { status } = spawnSync(process.execPath, [...process.execArgv, __filename, folder, each], {
      stdio: 'inherit',
    });
    if (status !== 0) process.exit(1);
  }
} else {
  http.createServer(answer).listen(0, '127.0.0.1', function listening() {
    wait(this.address().port);
  });
}

/** A Job that is running when it is listed and Complete when it is watched. */
function answer(request, response) {
  const metadata = { name: 'x', namespace: 'default', uid: 'x', resourceVersion: '1', generation: 1 };
  const running = { metadata, spec: { completions: 1 }, status: { active: 1 } };
  const condition = { type: 'Complete', status: 'True', reason: 'CompletionsReached', message: 'done' };
  const done = { metadata: { ...metadata, resourceVersion: '2' }, spec: {}, status: { conditions: [condition] } };
  if (request.url.includes('watch=')) {
    response.write(`${JSON.stringify({ type: 'MODIFIED', object: done })}\n`);
    return;
  }
  response.end(JSON.stringify({ kind: 'JobList', metadata: { resourceVersion: '1' }, items: [running] }));
}

function wait(port) {
  // TLS is Node's own code, which is compiled already.
  Object.assign(https, { request: http.request, Agent: http.Agent });
  const server = `https://127.0.0.1:${port}`;
  process.argv = [process.execPath, program, 'job/x'];
  process.env = { HOME: '/nonexistent', POD_NAME: 'x', POD_NAMESPACE: 'default' };
  if (way === 'in-cluster') {
    Object.assign(process.env, { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) });
    pretendFiles();
  } else {
    process.env.KUBECONFIG = kubeconfig(server);
  }
  const scripts = new Map();
  vm.Script = class extends vm.Script {
    constructor(source, options) {
      super(source, options);
      scripts.set(options.filename, this);
    }
  };
  process.on('exit', (code) => {
    if (code !== 0) return;
    for (const [file, script] of scripts) {
      const cache = `${file}.${process.version}-${process.arch}`;
      // What both ways load is laid by the first.
      if (!fs.existsSync(cache)) fs.writeFileSync(cache, script.createCachedData());
    }
  });
  require(program);
}

/** The files of a service account, where nobody may write them. */
function pretendFiles() {
  const { readFileSync, statSync } = fs;
  const content = (file) => (String(file).startsWith(SERVICE_ACCOUNT) ? FILES[path.basename(file)] : undefined);
  fs.readFileSync = (file, ...rest) => content(file) ?? readFileSync(file, ...rest);
  fs.statSync = (file, ...rest) => (content(file) === undefined ? statSync(file, ...rest) : { isFile: () => true });
}

function kubeconfig(server) {
  const file = path.join(fs.mkdtempSync(path.join(tmpdir(), 'kube-await-')), 'config');
  const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
  const cluster = { server, 'certificate-authority-data': Buffer.from(pem).toString('base64') };
  const user = { token: 'token' };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
  };
  const yaml = Object.entries(config).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
  fs.writeFileSync(file, yaml.join(''));
  process.on('exit', () => fs.rmSync(path.dirname(file), { recursive: true }));
  return file;
}
