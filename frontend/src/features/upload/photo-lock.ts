/**
 * Works on a photo while no other tab of this browser does. Waits as long as another tab works on it; the browser ends
 * that wait when the other tab has finished, or was closed.
 */
export async function whileNoOtherTabWorksOn(id: string, work: () => Promise<void>): Promise<void> {
  let started = false;
  const start = () => {
    started = true;
    return work();
  };
  try {
    await navigator.locks.request(`faceblur.photo.${id}`, start);
  } catch (error) {
    if (started) throw error;
    await work(); // A browser that forbids locks also forbids storage, so no other tab has the photo.
  }
}
