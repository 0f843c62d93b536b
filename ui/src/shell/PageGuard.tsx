// What a page shows instead of itself when it cannot be drawn: the rail, the stop and the other pages stay.
import { Component, type ReactNode } from 'react';

import { Failure, Page } from '../parts/layout';

export class PageGuard extends Component<{ children: ReactNode }, { error: Error | null }> {
    override state: { error: Error | null } = { error: null };

    static getDerivedStateFromError(error: Error): { error: Error } {
        return { error };
    }

    override render(): ReactNode {
        const { error } = this.state;
        if (!error) return this.props.children;
        return (
            <Page title="Not drawn" bare>
                <Failure
                    what="this page"
                    error={new Error(`The page could not draw what the server said: ${error.message}. Stopping and the other pages work; \`tagout\` on the command line does everything that the page does.`)}
                    retry={() => this.setState({ error: null })}
                />
            </Page>
        );
    }
}
