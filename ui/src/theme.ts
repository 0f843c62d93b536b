// Mantine told of our tokens, so that its controls look like the rest of the page.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const ink: MantineColorsTuple = [
    '#e9efff', '#cfdcff', '#a9c0ff', '#8fb0ff', '#5f8af5', '#3f6fe8', '#2456d6', '#1f4bbd', '#1a3f9f', '#132f78',
];

/** What stops; its sixth shade carries white text at 5.6:1. */
const stop: MantineColorsTuple = [
    '#fdeaea', '#f8cfce', '#f2b8b7', '#e98b88', '#df5f5b', '#d03a36', '#c4201d', '#a91a18', '#8c1614', '#6b1110',
];

export const theme = createTheme({
    primaryColor: 'ink',
    primaryShade: { light: 6, dark: 6 },
    colors: { ink, stop },
    fontFamily: 'var(--sans)',
    fontFamilyMonospace: 'var(--mono)',
    defaultRadius: 'sm',
    radius: { sm: '5px', md: '8px' },
    fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
    cursorType: 'pointer',
    focusRing: 'auto',
    components: {
        Button: { defaultProps: { size: 'sm' } },
        Modal: { defaultProps: { centered: true, radius: 'md', overlayProps: { backgroundOpacity: 0.45 }, closeButtonProps: { 'aria-label': 'Close' } }, styles: { title: { fontSize: 16, fontWeight: 650, letterSpacing: '-0.01em' } } },
        TextInput: { defaultProps: { size: 'sm' } },
        NativeSelect: { defaultProps: { size: 'sm' } },
        Textarea: { defaultProps: { size: 'sm' } },
    },
});

export const variables: CSSVariablesResolver = () => {
    const ours = {
        '--mantine-color-body': 'var(--panel)',
        '--mantine-color-text': 'var(--text)',
        '--mantine-color-dimmed': 'var(--dim)',
        '--mantine-color-placeholder': 'var(--faint)',
        '--mantine-color-default': 'var(--panel)',
        '--mantine-color-default-hover': 'var(--hover)',
        '--mantine-color-default-color': 'var(--text)',
        '--mantine-color-default-border': 'var(--line-2)',
        '--mantine-color-error': 'var(--bad)',
    };
    return { variables: {}, light: ours, dark: ours };
};
