import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app";
import { SignInGate } from "./features/sign-in/sign-in-gate";
import { ErrorBoundary } from "./components/error-boundary";
import { PhotoStore } from "./features/upload/photo-store";
import { PhotoStoreContext } from "./features/upload/use-photos";
import { checkSignIn } from "./api/sign-in";
import "./styles/main.scss";

const store = new PhotoStore();
// If the configuration or the issuer cannot be reached, show the page. Each request then reports what is wrong.
const allowed = checkSignIn().catch(() => true);
void allowed.then((isAllowed) => isAllowed && store.open());

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ErrorBoundary>
      <QueryClientProvider client={new QueryClient()}>
        <PhotoStoreContext value={store}>
          <SignInGate allowed={allowed}>
            <App />
          </SignInGate>
        </PhotoStoreContext>
      </QueryClientProvider>
    </ErrorBoundary>
  </StrictMode>,
);
