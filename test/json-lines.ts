/** Reads what -o json prints, and holds each line to docs/events.schema.json. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';

const schema = JSON.parse(readFileSync(path.join(import.meta.dirname, '..', 'docs', 'events.schema.json'), 'utf8'));
const isValid = new Ajv2020({ strict: true, allErrors: true }).compile(schema);

/** A line, as the schema describes it. */
export interface JsonLine {
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly elapsedSeconds: number;
  // biome-ignore lint/suspicious/noExplicitAny: the fields differ with the event, and the schema holds them
  readonly [field: string]: any;
}

/** Every line of an output, read. Throws for one that the schema does not allow, and unless `done` is last and once. */
export function readJsonLines(output: string): readonly JsonLine[] {
  const lines = output.split('\n').filter((line) => line !== '');
  const read = lines.map((line) => {
    const json = JSON.parse(line) as JsonLine;
    if (!isValid(json)) {
      const why = isValid.errors?.map(
        ({ instancePath, message, schemaPath }) => `${instancePath} ${message} ${schemaPath}`,
      );
      throw new Error(`not as docs/events.schema.json says: ${line}\n${why?.join('\n')}`);
    }
    return json;
  });
  const ends = read.flatMap(({ event }, at) => (event === 'done' ? [at] : []));
  if (ends.length !== 1 || ends[0] !== read.length - 1) throw new Error(`done is not last, once:\n${output}`);
  return read;
}
