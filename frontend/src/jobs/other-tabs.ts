/** Its messages are ids of jobs. A tab does not get its own messages. */
let channel: BroadcastChannel | undefined;
const openChannel = () => (channel ??= new BroadcastChannel("faceblur.jobs"));

/** Tells the other tabs of this browser to ask for a job again: it may continue although it was finished or waited. */
export const tellOtherTabs = (jobId: string): void => openChannel().postMessage(jobId);

/** Calls this function with the id of each job that another tab has continued. Returns a function that ends this. */
export function onOtherTabsDecide(decided: (jobId: string) => void): () => void {
  const listener = ({ data }: MessageEvent<string>) => decided(data);
  openChannel().addEventListener("message", listener);
  return () => openChannel().removeEventListener("message", listener);
}
