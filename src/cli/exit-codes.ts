/** What the process answers to whoever started it; the same for every command. */
export const exitCodes = {
  done: 0,
  someFailed: 1,
  wrongUse: 2,
  environment: 3,
  /** 128 + SIGINT, as shells expect. */
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit codes as `--help` tells them. */
export const exitCodesHelp = `
Exit codes:
  0    done
  1    some photos or models failed (the summary says which and why)
  2    wrong use: an option or argument is not right
  3    environment: settings, a missing model, memory, disk
  130  interrupted with Ctrl-C`;
