/** The command that a worker is started with; it is for the primary alone to give. */
export const WORKER_COMMAND = "worker";
