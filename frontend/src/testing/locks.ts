/** The browser's locks, which jsdom lacks: whoever asks for a lock gets it when all before have given it back. */
export class FakeLocks {
  private last = new Map<string, Promise<unknown>>();

  request(name: string, work: () => Promise<unknown>): Promise<unknown> {
    const before = this.last.get(name) ?? Promise.resolve();
    const done = before.then(work);
    this.last.set(
      name,
      done.catch(() => undefined),
    );
    return done;
  }

  /** Gives back all locks, as the browser does when tabs are closed. */
  closeTabs(): void {
    this.last.clear();
  }
}

export const locks = new FakeLocks();
