/** A process of a benchmark, told over IPC. */
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { LoadCommand } from './stream-load';
import type { StreamCommand } from './stream-server';

const HOOK = path.join(path.resolve(__dirname, '..'), 'scripts', 'typescript.js');

export class Child {
  private constructor(private readonly process: ChildProcess, readonly first: { readonly port?: number }) {}

  static async start(file: string, args: readonly string[]): Promise<Child> {
    const child = fork(path.join(__dirname, file), args, { execArgv: ['-r', HOOK, '--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    return new Child(child, await answerOf<{ port?: number }>(child));
  }
  tell(command: StreamCommand | LoadCommand): void {
    this.process.send(command);
  }
  ask<Answer>(command: StreamCommand | LoadCommand): Promise<Answer> {
    const answer = answerOf<Answer>(this.process);
    this.tell(command);
    return answer;
  }
  stop(): void {
    if (this.process.connected) this.process.disconnect();
  }
}

/** Runs with processes that it starts; all are stopped at its end, however it ends. */
export async function withChildren<Value>(run: (start: (file: string, ...args: string[]) => Promise<Child>) => Promise<Value>): Promise<Value> {
  const children: Child[] = [];
  try {
    return await run(async (file, ...args) => {
      const child = await Child.start(file, args);
      children.push(child);
      return child;
    });
  } finally {
    for (const child of children) child.stop();
  }
}

function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a process of the benchmark ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as Answer);
    });
  });
}
