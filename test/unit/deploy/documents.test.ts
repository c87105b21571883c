/** What the documents name is there: pages and their headings, files, settings. Their words are for people to keep true. */
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { readSource, ROOT } from '../../support/source-imports';

const DOCUMENTS = ['README.md', 'AGENTS.md', 'CHANGELOG.md', ...['docs', 'docs/decisions'].flatMap((folder) => fs.readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`))];
/** Where a path that a document names may begin: documents speak of rooms of src without saying so. */
const BEGINNINGS = ['', 'src', 'src/main', 'src/workflows', 'docs', 'test/faults'];
/** Files that a document names and that are nowhere: addresses of the running API, without their slash. */
const SERVED = /^\/(api|docs)\//;
/** Named after a venue or chain of the user's, or read by a test for people with a key. */
const NAMED_BY_USERS = /^SUREFILL_(HYPERLIQUID|PAPER)_(HTTP|WS)_URL$|^SUREFILL_TESTNET_/;

const isThere = (file: string): boolean => fs.existsSync(path.join(ROOT, file));
const anchorOf = (heading: string): string => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
const settings = new Set([...`${readSource('.env.example')}${readSource('deploy/compose/env.example')}`.matchAll(/[A-Z][A-Z0-9_]+(?==)/g)].map(([name]) => name));

/** What stands in a block of code is no link, whatever it looks like: patterns of JSON schemas do. */
const prose = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

function brokenLinks(document: string, text: string): string[] {
  return [...prose(text).matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([link, target = '', anchor]) => {
    if (/^(https?|mailto):/.test(target)) return [];
    const file = target === '' ? document : path.posix.join(path.posix.dirname(document), target);
    if (!isThere(file)) return [link];
    if (anchor === undefined) return [];
    return [...readSource(file).matchAll(/^#+ (.*)$/gm)].some(([, heading = '']) => anchorOf(heading) === anchor) ? [] : [link];
  });
}

/** Words inside backticks. */
const named = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, words = '']) => words.split(/[\s,]+/));

function missingFiles(text: string): string[] {
  return named(text).filter((word) => /^[\w./-]+\/[\w.-]+\.(ts|js|json|ya?ml|prisma|sh|py)$/.test(word) && !SERVED.test(word) && !BEGINNINGS.some((beginning) => isThere(path.posix.join(beginning, word))));
}

function unknownSettings(text: string): string[] {
  return named(text).flatMap((word) => /^(SUREFILL|CACHE|RETENTION|TEMPORAL|DATABASE|POSTGRES|REDIS|METRICS)_[A-Z0-9_]*[A-Z0-9](?==|$)/.exec(word)?.[0] ?? []).filter((name) => !settings.has(name) && !NAMED_BY_USERS.test(name));
}

describe.each(DOCUMENTS.map((document) => [document, readSource(document)] as const))('%s', (document, text) => {
  test('links to pages and headings that there are', () => {
    expect(brokenLinks(document, text)).toEqual([]);
  });

  test('names files and settings that there are', () => {
    expect(missingFiles(text)).toEqual([]);
    expect(unknownSettings(text)).toEqual([]);
  });

  test('has no row of a table twice', () => {
    const lines = text.split('\n');
    const rows = lines.filter((line, index) => line.startsWith('|') && !line.startsWith('|-') && lines[index + 1]?.startsWith('|-') !== true).map((line) => line.split('|').slice(1, 3).join('|'));
    expect(rows.filter((row, index) => rows.indexOf(row) !== index)).toEqual([]);
  });
});

test('what is not there would be found', () => {
  expect(brokenLinks('docs/venues.md', '[a](nowhere.md) [b](operations.md#nothing) [c](operations.md#docker) [d](https://x) [e](#add-an-account)')).toEqual(['](nowhere.md)', '](operations.md#nothing)']);
  expect(missingFiles('`domain/order.ts`, `test/faults/never.test.ts`, `/api/v1/openapi.json`')).toEqual(['test/faults/never.test.ts']);
  expect(unknownSettings('`SUREFILL_HOME=x`, `SUREFILL_HOUSE`, `CACHE_*`')).toEqual(['SUREFILL_HOUSE']);
});
