// The least that Node can do: read a token and a certificate, make one request over TLS, look at one condition. As
// CommonJS, since that starts faster and takes less memory than an ES module, and with events, since `for await` takes
// two milliseconds to make ready.
'use strict';
const { readFileSync } = require('node:fs');
const { Agent, request } = require('node:https');

const { SERVER_HOST: host, SERVER_PORT: port, CREDENTIALS: dir, NAMESPACE: namespace, WITH: way } = process.env;
const read = (name) => readFileSync(`${dir}/${name}`, 'utf8');
const credentials =
  way === 'token'
    ? { headers: { Authorization: `Bearer ${read('token').trim()}` } }
    : { headers: {}, cert: read('tls.crt'), key: read('tls.key') };

const options = {
  host,
  port,
  ca: read('ca.crt'),
  ...credentials,
  agent: new Agent({ keepAlive: true }),
  path: `/apis/batch/v1/namespaces/${namespace}/jobs?fieldSelector=metadata.name%3D${process.argv[2]}`,
};
request(options, (response) => {
  const chunks = [];
  response.on('data', (chunk) => chunks.push(chunk));
  response.on('end', () => {
    const { items } = JSON.parse(Buffer.concat(chunks).toString());
    const isComplete = items[0].status.conditions.some(({ type, status }) => type === 'Complete' && status === 'True');
    process.exit(isComplete ? 0 : 1);
  });
}).end();
