/** Its messages are ids of jobs. A tab does not get its own messages. */
let channel: BroadcastChannel | undefined;
const openChannel = () => (channel ??= new BroadcastChannel("faceblur.jobs"));

/** Tells the other tabs of this browser that a job may go on, although it was finished or waited for a person. */
export const tellOtherTabs = (jobId: string): void => openChannel().postMessage(jobId);

/** Calls this function with the id of each job that another tab lets go on. Returns what ends it. */
export function onOtherTabsDecide(decided: (jobId: string) => void): () => void {
  const listener = ({ data }: MessageEvent<string>) => decided(data);
  openChannel().addEventListener("message", listener);
  return () => openChannel().removeEventListener("message", listener);
}
