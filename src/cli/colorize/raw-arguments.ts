import { readFileSync } from 'node:fs';
import { nameFromBytes } from './byte-names.js';

/**
 * Node hands over a command line as UTF-8 and puts a question mark in place of every byte that is
 * not. Where the system keeps the line itself (Linux), such arguments are read again from there.
 * @param args of one command. @returns names in the sense of byte-names.ts.
 */
export function rawArguments(args: readonly string[]): string[] {
  if (!args.some((arg) => arg.includes('\ufffd'))) return [...args];
  const waiting = new Map<string, string[]>();
  for (const bytes of commandLine()) {
    const text = bytes.toString('utf8');
    waiting.set(text, [...(waiting.get(text) ?? []), nameFromBytes(bytes)]);
  }
  return args.map((arg) => waiting.get(arg)?.shift() ?? arg);
}

function commandLine(): Buffer[] {
  try {
    const line = readFileSync('/proc/self/cmdline');
    const parts: Buffer[] = [];
    for (let from = 0; from < line.length; ) {
      const end = line.indexOf(0, from);
      parts.push(line.subarray(from, end < 0 ? line.length : end));
      from = end < 0 ? line.length : end + 1;
    }
    return parts;
  } catch {
    // Elsewhere names are UTF-8 or UTF-16 anyway.
    return [];
  }
}
