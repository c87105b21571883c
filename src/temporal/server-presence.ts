/**
 * Whether a Temporal server is there, told by the connection itself: a server that ends closes it in that instant, and until the
 * next one listens nobody can connect. So an absence is noticed before any server could answer in its place, however short it is.
 */
import { connect, type ClientHttp2Session } from 'node:http2';

/** Between two tries to connect while nobody answers. */
const RETRY_MS = 50;
/** Accepted, but silent: something stands before a server that is not there. */
const SETTINGS_WITHIN_MS = 1_000;

export interface PresenceListener {
  /** It cannot be reached any more. */
  onAway(): void;
  /** It answers again after an absence. */
  onReturn(): void;
  /** The connection was made anew and nobody was away: servers end old ones from time to time. */
  onRenewed(): void;
}

export class ServerPresence {
  private session: ClientHttp2Session | null = null;
  private timer: NodeJS.Timeout | null = null;
  private present = true;
  private everConnected = false;
  private closed = false;

  constructor(
    private readonly address: string,
    private readonly listener: PresenceListener,
  ) {}

  start(): void {
    this.connect();
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    this.session?.destroy();
  }

  private connect(): void {
    const session = connect(`http://${this.address}`);
    this.session = session;
    let answered = false;
    const silent = setTimeout(() => session.destroy(), SETTINGS_WITHIN_MS);
    session.once('remoteSettings', () => {
      answered = true;
      clearTimeout(silent);
      this.connected();
    });
    // What went wrong is said by the end that follows it.
    session.on('error', () => undefined);
    session.once('goaway', () => session.close());
    session.once('close', () => {
      clearTimeout(silent);
      if (this.closed) return;
      if (answered) this.connect();
      else this.missing();
    });
    session.unref();
  }

  private connected(): void {
    const { everConnected, present } = this;
    this.everConnected = true;
    this.present = true;
    if (!present) this.listener.onReturn();
    else if (everConnected) this.listener.onRenewed();
  }

  private missing(): void {
    if (this.present) {
      this.present = false;
      this.listener.onAway();
    }
    this.timer = setTimeout(() => this.connect(), RETRY_MS);
  }
}
