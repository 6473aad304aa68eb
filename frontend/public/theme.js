// Before the first paint, so that a chosen look does not flash in the other one.
try {
  const theme = localStorage.getItem("faceblur.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the page looks as the system does.
}
