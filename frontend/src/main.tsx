import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { Door } from "./components/door";
import { ErrorBoundary } from "./components/error-boundary";
import { PhotoStore } from "./features/photos/photo-store";
import { PhotoStoreContext } from "./features/photos/use-photos";
import { enter } from "./lib/sign-in";
import "./styles/main.scss";

const store = new PhotoStore();
// Where it is not known whether one must be signed in, the page says at each step what it misses.
const entry = enter().catch(() => true);
void entry.then((entered) => entered && store.open());

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ErrorBoundary>
      <QueryClientProvider client={new QueryClient()}>
        <PhotoStoreContext value={store}>
          <Door entry={entry}>
            <App />
          </Door>
        </PhotoStoreContext>
      </QueryClientProvider>
    </ErrorBoundary>
  </StrictMode>,
);
