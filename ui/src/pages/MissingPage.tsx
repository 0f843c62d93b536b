import { Button } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { Link, useLocation } from 'react-router';

import { Empty, Page } from '../parts/layout';

export default function MissingPage() {
    const { pathname } = useLocation();
    return (
        <Page title="Not here" bare>
            <Empty icon={<IconMapQuestion size={30} stroke={1.5} aria-hidden />} title="There is no such page">
                <p>{pathname} leads nowhere. The link may be of another version of Tagout.</p>
                <Button component={Link} to="/" variant="default">To the first screen</Button>
            </Empty>
        </Page>
    );
}
