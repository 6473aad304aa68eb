import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { ErrorBoundary } from "./components/error-boundary";
import { PhotoStore } from "./features/photos/photo-store";
import { PhotoStoreContext } from "./features/photos/use-photos";
import "./styles/main.scss";

const store = new PhotoStore();
store.open();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ErrorBoundary>
      <QueryClientProvider client={new QueryClient()}>
        <PhotoStoreContext value={store}>
          <App />
        </PhotoStoreContext>
      </QueryClientProvider>
    </ErrorBoundary>
  </StrictMode>,
);
