export default function ViewerPage({ sessionId }: { readonly sessionId: string }) { return <p>{sessionId}</p>; }
